//! Sizes, times, addresses and filters, as people write them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteSize(pub(crate) usize);

const SIZES: [(&str, usize); 4] = [("gib", 1 << 30), ("mib", 1 << 20), ("kib", 1 << 10), ("b", 1)];

impl FromStr for ByteSize {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let unit = SIZES.iter().find_map(|(unit, size)| Some((lower.strip_suffix(unit)?, *size)));
        let (number, size) = unit.unwrap_or((&lower, 1));
        let number: usize =
            number.trim().parse().map_err(|_| "write it as 65536, 64KiB, 32MiB or 1GiB")?;
        number.checked_mul(size).map(Self).ok_or("that is too large")
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match units.into_iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((unit, size)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// In milliseconds; `ms` comes before the `s` and the `m` that are in it.
const TIMES: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usage = "write it as 500ms, 25s, 2m or 1h";
        let unit = TIMES.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
        let (number, size) = unit.ok_or(usage)?;
        let number: u64 = number.trim().parse().map_err(|_| usage)?;
        let millis = number.checked_mul(size).ok_or("that is too long")?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)];
        match units.into_iter().find(|(_, size)| millis >= *size && millis.is_multiple_of(*size)) {
            Some((unit, size)) => write!(f, "{}{unit}", millis / size),
            None => write!(f, "{millis}ms"),
        }
    }
}

/// An IP address; IPv6 perhaps in brackets.
pub(crate) fn address(text: &str) -> Result<IpAddr, &'static str> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse()
        .map_err(|_| "write an IP address such as 127.0.0.1 or [::1]; names don't work here")
}

/// A network, or an address as a network of one.
pub(crate) fn network(text: &str) -> Result<IpNet, &'static str> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "write a network such as 10.0.0.0/8, or an address such as 10.0.0.1")
}

/// A filter for logs, unchanged once it is known to work.
pub(crate) fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let size = |text: &str| text.parse::<ByteSize>().map(|size| size.0);
        assert_eq!(size("65536"), Ok(65536));
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("32 mib"), Ok(32 << 20));
        assert_eq!(size("7B"), Ok(7));
        for bad in ["", "KiB", "64KB", "-1", "1.5MiB", "99999999999999999999", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        for shown in ["0", "1000", "64KiB", "3MiB", "1GiB"] {
            assert_eq!(shown.parse::<ByteSize>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn spans() {
        let span = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!(span("500ms"), Ok(500));
        assert_eq!(span("25s"), Ok(25_000));
        assert_eq!(span("2m"), Ok(120_000));
        for bad in ["", "25", "s", "-1s", "1.5s", "1 fortnight", "99999999999999999999ms"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        for shown in ["0ms", "500ms", "25s", "90s", "2m", "1h"] {
            assert_eq!(shown.parse::<Span>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn addresses_and_networks() {
        assert!(address("[::]").unwrap().is_unspecified());
        assert!(address("127.0.0.1").unwrap().is_loopback());
        assert!(address("localhost").is_err());
        assert_eq!(network("10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(network("fd00::/8").unwrap().to_string(), "fd00::/8");
        assert!(network("10.0.0.0/33").is_err());
    }
}
