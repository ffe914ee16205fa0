//! How well two fit: from both sides, in thousandths.
//!
//! Knows lists of words. Must not know who waits, or since when.

/// The most that each part counts: how well each one's offers meet what the other seeks, the topics, a
/// language.
pub(super) const FIT: f64 = 700.0;
pub(super) const TOPICS: f64 = 200.0;
pub(super) const LANGUAGE: f64 = 100.0;

/// The words of one client, each list sorted and without repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lists<T> {
    /// What it offers.
    pub offers: Vec<T>,
    /// What it seeks.
    pub seeks: Vec<T>,
    /// What it likes to talk about.
    pub topics: Vec<T>,
    /// What it speaks.
    pub languages: Vec<T>,
}

/// How well two fit, from 0 to 1000: 700 for how well each one's offers meet what the other seeks (the
/// geometric mean of both directions, so one that only takes scores low), 200 for topics, 100 for a
/// language of both. Each comparison of lists is their cosine: the words in both, over the geometric
/// mean of their lengths, so that listing everything doesn't help.
pub fn score<T: Ord>(a: &Lists<T>, b: &Lists<T>) -> u16 {
    points(
        cosine(&a.offers, &b.seeks),
        cosine(&b.offers, &a.seeks),
        cosine(&a.topics, &b.topics),
        overlap(&a.languages, &b.languages) > 0,
    )
}

/// The score of two by their cosines, in whole thousandths.
pub(super) fn points(given: f64, taken: f64, topics: f64, language: bool) -> u16 {
    sum(given, taken, topics, language).round() as u16
}

/// The same before it is rounded.
#[inline]
pub(super) fn sum(given: f64, taken: f64, topics: f64, language: bool) -> f64 {
    let language = if language { LANGUAGE } else { 0.0 };
    FIT * (given * taken).sqrt() + TOPICS * topics + language
}

fn cosine<T: Ord>(a: &[T], b: &[T]) -> f64 {
    match overlap(a, b) {
        0 => 0.0,
        shared => shared as f64 / ((a.len() * b.len()) as f64).sqrt(),
    }
}

/// How many words are in both lists.
fn overlap<T: Ord>(mut a: &[T], mut b: &[T]) -> usize {
    let mut shared = 0;
    while let ([first, rest_a @ ..], [second, rest_b @ ..]) = (a, b) {
        match first.cmp(second) {
            std::cmp::Ordering::Less => a = rest_a,
            std::cmp::Ordering::Greater => b = rest_b,
            std::cmp::Ordering::Equal => {
                shared += 1;
                (a, b) = (rest_a, rest_b);
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(offers: &[u32], seeks: &[u32], topics: &[u32], languages: &[u32]) -> Lists<u32> {
        let [offers, seeks, topics, languages] =
            [offers, seeks, topics, languages].map(<[u32]>::to_vec);
        Lists { offers, seeks, topics, languages }
    }

    #[test]
    fn a_perfect_fit_has_all_and_strangers_have_nothing() {
        let (a, b) = (lists(&[1, 2], &[3], &[5], &[7]), lists(&[3], &[1, 2], &[5], &[7, 8]));
        assert_eq!(score(&a, &b), 1000);
        assert_eq!(score(&b, &a), 1000);
        assert_eq!(score(&a, &lists(&[9], &[9], &[9], &[9])), 0);
        assert_eq!(score::<u32>(&Lists::default(), &Lists::default()), 0);
    }

    #[test]
    fn who_only_takes_scores_as_if_nothing_fitted() {
        let taker = lists(&[], &[1], &[], &[7]);
        assert_eq!(score(&taker, &lists(&[1], &[2], &[], &[7])), 100);
    }

    #[test]
    fn listing_everything_does_not_help() {
        let seeker = lists(&[1], &[2], &[], &[]);
        let (exact, all) =
            (lists(&[2], &[1], &[], &[]), lists(&[2, 3, 4, 5], &[1, 6, 7, 8], &[], &[]));
        assert_eq!((score(&seeker, &exact), score(&seeker, &all)), (700, 350));
    }
}
