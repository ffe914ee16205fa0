//! What no socket can time: what happens between two steps of others.

use std::sync::Arc;

use vyoma_core::matching::Person;

use super::*;
use crate::config::PoolConfig;
use crate::pools::NamedPool;

fn newcomer(id: u64, device: Identity) -> Newcomer {
    Newcomer {
        id: ConnectionId(id),
        place: None,
        pool: Arc::new(NamedPool { number: 0, config: PoolConfig::usual(), on_demand: false }),
        person: Person::default(),
        device: Some(device),
        leave: None,
        invite: None,
        pass: None,
    }
}

#[test]
fn a_block_holds_for_two_who_wait_already() {
    let (lobby, now) = (Lobby::new(&Config::default(), BootId(1), Vec::new(), None), Instant::now());
    let [a, b] = [1, 2].map(|byte| Identity([byte; 16]));
    let cooldown = Duration::from_secs(1);
    lobby.note_end(ConversationId([7; 16]), [Some(a), Some(b)], cooldown, now);
    let enter = |id, device| match lobby.enter(&newcomer(id, device), now) {
        Entry::Stay(stay) => stay,
        _ => panic!("{id} isn't let in"),
    };
    let (_kept, second) = (enter(1, a), enter(2, b));
    assert!(matches!(second.next, Next::Wait(Some(until)) if until == now + cooldown));
    assert!(lobby.block(a, b));
    let next = lobby.step(ConnectionId(2), second.ticket, now + cooldown);
    assert!(matches!(next, Next::Wait(None)), "it would have met whom it has blocked");
    assert_eq!(lobby.check(), Ok(()));
}
