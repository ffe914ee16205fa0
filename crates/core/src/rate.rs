//! How often something may happen: a token bucket, of which one instant is all there is.

use std::time::{Duration, Instant};

/// A burst, and how long one of it takes to grow back.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// Until one more.
    pub interval: Duration,
}

/// A bucket of a [`Rate`], which has to be the same at each call.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// When it is full again: each taking moves this on by one interval.
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long to wait for one; then none is taken.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + rate.interval;
        let over =
            full_at.saturating_duration_since(now).saturating_sub(rate.interval * rate.burst);
        if !over.is_zero() {
            return Err(over);
        }
        self.full_at = full_at;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a start to count from; all later times are made up")]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let (start, interval) = (Instant::now(), Duration::from_secs(1));
        let rate = Rate { burst: 3, interval };
        let mut bucket = Bucket::full(start);
        assert_eq!([(); 3].map(|()| bucket.take(rate, start)), [Ok(()); 3]);
        assert_eq!(bucket.take(rate, start + interval / 4), Err(interval * 3 / 4));
        assert_eq!(bucket.take(rate, start + interval), Ok(()));
        assert_eq!(bucket.take(rate, start + interval), Err(interval));
        assert_eq!([(); 3].map(|()| bucket.take(rate, start + interval * 9)), [Ok(()); 3]);
    }
}
