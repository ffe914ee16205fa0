//! What each application said and saw, and whether that fits together.

use std::collections::BTreeMap;

/// One client's account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// How many messages it said: 1, 2, 3 ...
    pub(crate) said: u64,
    /// How many of them it was told were delivered.
    pub(crate) delivered: u64,
    /// Whose messages it saw, and which, in order.
    pub(crate) seen: Vec<(u32, u64)>,
    /// What it was told that shouldn't have happened.
    pub(crate) surprises: Vec<String>,
}

/// Compares all accounts, and says all that is wrong.
pub(crate) fn check(accounts: &BTreeMap<u32, Account>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, account) in accounts {
        wrong.extend(account.surprises.iter().map(|surprise| format!("client {id}: {surprise}")));
        if account.delivered != account.said {
            let Account { said, delivered, .. } = account;
            wrong.push(format!("client {id} said {said}, and {delivered} were delivered"));
        }
        let Some((partner, _)) = account.seen.first() else {
            wrong.push(format!("client {id} saw nothing"));
            continue;
        };
        let due = (1..).map(|n| (*partner, n));
        if let Some((at, odd)) = account
            .seen
            .iter()
            .enumerate()
            .zip(due)
            .find_map(|((at, seen), due)| (*seen != due).then_some((at, seen)))
        {
            wrong.push(format!(
                "client {id}: number {at} of {partner} should have come, not {odd:?}"
            ));
        }
        let said = accounts.get(partner).map_or(0, |partner| partner.said);
        if account.seen.len() as u64 != said {
            let seen = account.seen.len();
            wrong.push(format!("client {id} saw {seen} of {said} messages of {partner}"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(seen: &[u64]) -> BTreeMap<u32, Account> {
        let account = |partner, seen: &[u64]| Account {
            said: 3,
            delivered: 3,
            seen: seen.iter().map(|n| (partner, *n)).collect(),
            surprises: Vec::new(),
        };
        BTreeMap::from([(1, account(2, &[1, 2, 3])), (2, account(1, seen))])
    }

    #[test]
    fn a_message_lost_doubled_swapped_or_foreign_is_seen() {
        assert_eq!(check(&accounts(&[1, 2, 3])), Vec::<String>::new());
        for bad in [&[1, 2][..], &[1, 3], &[1, 2, 2, 3], &[2, 1, 3], &[1, 2, 3, 4], &[]] {
            assert!(!check(&accounts(bad)).is_empty(), "{bad:?}");
        }
        let mut foreign = accounts(&[1, 2, 3]);
        foreign.get_mut(&2).unwrap().seen[1].0 = 7;
        assert!(!check(&foreign).is_empty());
        let mut untold = accounts(&[1, 2, 3]);
        untold.get_mut(&1).unwrap().delivered = 2;
        assert!(!check(&untold).is_empty());
    }
}
