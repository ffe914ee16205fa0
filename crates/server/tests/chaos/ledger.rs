//! Who heard whom: what all guests saw, put together and judged. Knows no sockets.
//!
//! A guest's life falls into *stays*: the first begins with its connection, the next one each time
//! it answers a fence. What it sends carries (guest, stay, number), so that the one who hears it
//! can tell for whom it was meant: all words of one stay are for one partner.

use std::collections::HashMap;
use std::sync::Mutex;

/// One stay of one guest: `(guest, stay)`.
pub(crate) type Stay = (u64, u32);

/// What one guest knows about one of its stays when that is over.
#[derive(Debug, Default, Clone)]
pub(crate) struct Account {
    /// The complete messages it sent in it, before its fence.
    pub(crate) sent: u64,
    /// Whose words it heard in it, and how many.
    pub(crate) heard: Option<(Stay, u64)>,
    /// It was told that its partner left, so it has heard all there was.
    pub(crate) widowed: bool,
    /// It ended with a reset, which may overtake its last words where the kernel queues them on
    /// different processors; TCP promises nothing then.
    pub(crate) reset: bool,
}

/// All accounts, by stay.
#[derive(Default)]
pub(crate) struct Ledger {
    accounts: Mutex<HashMap<Stay, Account>>,
}

impl Ledger {
    pub(crate) fn close(&self, stay: Stay, account: Account) {
        let before = self.accounts.lock().unwrap().insert(stay, account);
        assert!(before.is_none(), "two accounts of {stay:?}");
    }

    pub(crate) fn summary(&self) -> String {
        let accounts = self.accounts.lock().unwrap();
        let heard: u64 =
            accounts.values().filter_map(|account| account.heard).map(|(_, n)| n).sum();
        let sent: u64 = accounts.values().map(|account| account.sent).sum();
        format!("{} stays, {sent} messages sent, {heard} heard", accounts.len())
    }

    /// Judges all accounts against each other, once everybody has gone.
    pub(crate) fn settle(&self) {
        let accounts = self.accounts.lock().unwrap();
        let mut listener_of: HashMap<Stay, Stay> = HashMap::new();
        for (&listener, account) in accounts.iter() {
            let Some((speaker, heard)) = account.heard else { continue };
            let other = listener_of.insert(speaker, listener);
            assert_eq!(other, None, "{speaker:?} was also heard by {listener:?}");
            let spoken = &accounts[&speaker];
            if let Some((partner, _)) = spoken.heard {
                assert_eq!(partner, listener, "{speaker:?} spoke to one and heard another");
            }
            assert!(heard <= spoken.sent, "{listener:?} heard more than {speaker:?} said");
            // Only a partner that left without a fence of its own has left by itself.
            if account.widowed && !spoken.widowed && !spoken.reset {
                assert_eq!(heard, spoken.sent, "{listener:?} missed last words of {speaker:?}");
            }
        }
    }
}
