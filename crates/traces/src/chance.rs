//! Draws from the distributions that crowds are made of.
//!
//! Knows a seeded source of randomness. Must not know what is drawn.

use fastrand::Rng;

/// Of 0 to `n - 1`, the first the most likely: the one of rank r as likely as `(r + 1)^-s` is to the sum.
#[derive(Debug, Clone)]
pub struct Zipf {
    /// How likely each is together with all before it.
    cumulative: Vec<f64>,
}

impl Zipf {
    /// With so many ranks, and this exponent.
    pub fn new(n: usize, s: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=n).map(|rank| (rank as f64).powf(-s));
        let mut cumulative: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        cumulative.iter_mut().for_each(|value| *value /= sum);
        Self { cumulative }
    }

    /// One rank.
    pub fn draw(&self, rng: &mut Rng) -> u32 {
        let at = rng.f64();
        let rank = self.cumulative.partition_point(|value| *value <= at);
        rank.min(self.cumulative.len() - 1) as u32
    }

    /// So many different ranks, rising; all that there are, if there are fewer.
    pub fn draw_set(&self, count: usize, rng: &mut Rng) -> Vec<u32> {
        let mut ranks = Vec::with_capacity(count);
        while ranks.len() < count.min(self.cumulative.len()) {
            let rank = self.draw(rng);
            if let Err(place) = ranks.binary_search(&rank) {
                ranks.insert(place, rank);
            }
        }
        ranks
    }
}

/// The time to the next event of a Poisson process, in seconds.
pub fn exponential(rate: f64, rng: &mut Rng) -> f64 {
    -(1.0 - rng.f64()).ln() / rate
}

/// Log-normal: half are below the median, and 68 % within a factor of `e^sigma` of it.
pub fn log_normal(median: f64, sigma: f64, rng: &mut Rng) -> f64 {
    // Box and Muller's way to a normal variable; 1 - x is never 0.
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    median * (sigma * radius * (std::f64::consts::TAU * rng.f64()).cos()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_as_often_as_zipf_says() {
        let (zipf, mut rng) = (Zipf::new(3, 1.0), Rng::with_seed(1));
        let mut counts = [0; 3];
        for _ in 0..110_000 {
            counts[zipf.draw(&mut rng) as usize] += 1;
        }
        for (count, expected) in counts.into_iter().zip([60_000_i32, 30_000, 20_000]) {
            assert!((count - expected).abs() < 900, "{counts:?}");
        }
    }

    #[test]
    fn a_set_has_no_repeats_and_no_more_than_there_are() {
        let (zipf, mut rng) = (Zipf::new(4, 2.0), Rng::with_seed(2));
        assert_eq!(zipf.draw_set(9, &mut rng), [0, 1, 2, 3]);
        for _ in 0..100 {
            let set = zipf.draw_set(2, &mut rng);
            assert!(set[0] < set[1], "{set:?}");
        }
    }

    #[test]
    fn means_and_medians_are_as_stated() {
        let (mut rng, n) = (Rng::with_seed(3), 40_000);
        let mean = (0..n).map(|_| exponential(4.0, &mut rng)).sum::<f64>() / f64::from(n);
        assert!((mean - 0.25).abs() < 0.005, "{mean}");
        let below = (0..n).filter(|_| log_normal(120.0, 1.0, &mut rng) < 120.0).count();
        assert!(below.abs_diff(n as usize / 2) < 400, "{below}");
    }
}
