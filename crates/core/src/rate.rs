//! How often something may happen: a token bucket, of which one moment is all there is.

use std::time::Duration;

/// A burst, and how long one of it takes to grow back.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// Until one more, in milliseconds.
    pub interval: u32,
}

/// A full bucket of a [`Rate`], which has to be the same at each call. It is four bytes, since every
/// connection has some.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    /// When it is full again, in milliseconds of the clock that the calls use: each taking moves this
    /// on by one interval. Wraps after 49 days, after which a bucket that was empty is full.
    full_at: u32,
}

impl Bucket {
    /// Takes one at `now`, counted from any fixed moment.
    ///
    /// # Errors
    /// How long to wait for one; then none is taken.
    pub fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        self.full_at = self.taken(rate, now)?;
        Ok(())
    }

    /// Whether there is one at `now`; takes none.
    ///
    /// # Errors
    /// How long to wait for one.
    pub fn look(&self, rate: Rate, now: Duration) -> Result<(), Duration> {
        self.taken(rate, now).map(drop)
    }

    /// When it is full again once one more is taken.
    fn taken(&self, rate: Rate, now: Duration) -> Result<u32, Duration> {
        let now = now.as_millis() as u32;
        let most = rate.interval * rate.burst;
        // What isn't ahead by a full burst at most lies behind.
        let ahead = Some(self.full_at.wrapping_sub(now)).filter(|ahead| *ahead <= most);
        let ahead = ahead.unwrap_or(0) + rate.interval;
        if ahead > most {
            return Err(Duration::from_millis((ahead - most).into()));
        }
        Ok(now.wrapping_add(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let rate = Rate { burst: 3, interval: 1000 };
        for start in [0, 7, u64::from(u32::MAX) - 1500] {
            let at = |after| Duration::from_millis(start + after);
            let mut bucket = Bucket { full_at: start as u32 };
            assert_eq!([(); 3].map(|()| bucket.take(rate, at(0))), [Ok(()); 3]);
            assert_eq!(bucket.take(rate, at(250)), Err(Duration::from_millis(750)));
            assert_eq!(bucket.look(rate, at(250)), Err(Duration::from_millis(750)));
            assert_eq!(bucket.look(rate, at(1000)), Ok(()), "none is taken");
            assert_eq!(bucket.take(rate, at(1000)), Ok(()));
            assert_eq!(bucket.take(rate, at(1000)), Err(Duration::from_millis(1000)));
            assert_eq!([(); 3].map(|()| bucket.take(rate, at(9000))), [Ok(()); 3]);
            assert!(bucket.take(rate, at(9000)).is_err());
        }
    }
}
