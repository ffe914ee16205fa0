//! What the server's lobby does under its lock, with the same rules: a stand-in, as thin as it can be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vyoma_core::acquaintance::Acquaintances;
use vyoma_core::directory::{Directory, Join, Resumption};
use vyoma_core::matching::{
    Code, INVITED, Invitations, Pass, Patience, Person, Pool, Pools, Relaxation, Step, Ticket,
};
use vyoma_protocol::envelope::{ConversationId, Side};
use vyoma_protocol::token::{BootId, Claims, Identity};

use super::client::ClientId;
use super::mail::{Desk, Mail, Note};
use crate::Flaw;

pub(super) const NAMES: [&str; 3] = ["default", "founders", "picky"];

pub(super) const COOLDOWNS: [Duration; 3] =
    [Duration::from_secs(20), Duration::from_secs(8), Duration::from_secs(40)];

pub(super) const BOOT: BootId = BootId(1);

const PATIENCE: Patience =
    Patience { fresh: Duration::from_secs(2), answer: Duration::from_secs(2) };

const INVITE_LIFE: Duration = Duration::from_secs(60);

/// When what will do falls in each pool: nothing decides in the first, nobody but who fits is met in the
/// last.
pub(super) fn relaxation(pool: usize) -> Option<Relaxation> {
    let steps: &[(u64, u16)] = match pool {
        1 => &[(0, 500), (1_000, 200), (3_000, 0)],
        2 => &[(0, 600), (2_000, 250)],
        _ => return None,
    };
    let step = |(after, score): &(u64, u16)| (Duration::from_millis(*after), *score);
    Relaxation::new(steps.iter().map(step).collect())
}

/// What a client in the queue does next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    Move(Desk),
    /// It asks again when it is told to, and then.
    Park(Option<Instant>),
}

pub(super) struct Newcomer<'a> {
    pub(super) id: ClientId,
    pub(super) place: Option<(Ticket, Instant)>,
    pub(super) pool: usize,
    pub(super) person: &'a Person,
    pub(super) device: Option<Identity>,
    pub(super) leave: Option<ConversationId>,
    pub(super) invite: Option<Code>,
    pub(super) pass: Option<Pass>,
}

/// Who is in the queue now.
pub(super) struct Placed {
    pub(super) ticket: Ticket,
    pub(super) pass: Option<Pass>,
    pub(super) desk: Desk,
    pub(super) next: Next,
}

/// What the world is told besides.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    /// These two are matched, the seeker first.
    Matched([ClientId; 2]),
    /// A side leaves its conversation by joining anew.
    Departs(ConversationId, Side),
    TakenOver,
    KeptApart,
}

pub(super) struct Lobby {
    pub(super) pools: Pools,
    pub(super) directory: Directory<ConversationId>,
    acquaintances: Acquaintances,
    pub(super) invitations: Invitations,
    pub(super) desks: BTreeMap<Ticket, (ClientId, Desk)>,
    pub(super) mail: Mail,
    pub(super) news: Vec<News>,
    flaw: Option<Flaw>,
}

impl Lobby {
    pub(super) fn new(now: Instant, flaw: Option<Flaw>) -> Self {
        let pool = |number| match relaxation(number) {
            Some(relaxation) => Pool::scored(PATIENCE, relaxation),
            None => Pool::new(PATIENCE),
        };
        Self {
            pools: Pools::new((0..NAMES.len()).map(pool), Pool::invited(PATIENCE)),
            directory: Directory::new(BOOT),
            acquaintances: Acquaintances::default(),
            invitations: Invitations::new(INVITE_LIFE, now),
            desks: BTreeMap::new(),
            mail: Mail::default(),
            news: Vec::new(),
            flaw,
        }
    }

    /// `None` if it isn't let in.
    pub(super) fn enter(&mut self, newcomer: &Newcomer<'_>, now: Instant) -> Option<Placed> {
        let (ticket, pass) = self.place(newcomer, now)?;
        if let Some(device) = newcomer.device {
            self.directory.wait(device, ticket);
            self.bar(device, ticket, now);
        }
        let desk = self.mail.open();
        self.desks.insert(ticket, (newcomer.id, desk));
        let next = self.advance(ticket, now);
        Some(Placed { ticket, pass, desk, next })
    }

    fn place(&mut self, newcomer: &Newcomer<'_>, now: Instant) -> Option<(Ticket, Option<Pass>)> {
        let Newcomer { place, pool, person, device, leave, invite, .. } = *newcomer;
        let name = NAMES[pool];
        if let Some(code) = invite {
            self.invitations.judge(code, name, device, now).ok()?;
        }
        let joined = device.filter(|_| place.is_none());
        let mut older = None;
        match joined.map(|device| self.directory.join(device, leave, now)) {
            None | Some(Join::Free) => {}
            Some(Join::Seated(..)) => return None,
            Some(Join::TakeOver(_)) if self.flaw == Some(Flaw::TakeoverBeside) => {}
            Some(Join::TakeOver(ticket)) if self.supersede(ticket) => older = Some(ticket),
            Some(Join::TakeOver(_)) => return None,
            Some(Join::Leaving(conversation, side)) => {
                self.news.push(News::Departs(conversation, side));
            }
        }
        let present = |code| self.invitations.present(code, name, device, now);
        let pass = invite.map(present).transpose().ok()?.or(newcomer.pass);
        let number = pass.map_or(pool, |_| INVITED);
        let invitation = pass.map(Pass::invitation);
        let ticket = match (older, place) {
            (Some(ticket), _) if self.is_place(ticket, number, invitation) => {
                self.pools.of(ticket).heard(ticket, now);
                self.pools.of(ticket).describe(ticket, person);
                ticket
            }
            (Some(older), _) => {
                self.forget_ticket(older, device);
                self.dispatch();
                self.issue(number, person, now)
            }
            (None, Some((ticket, since))) => {
                self.pools.of(ticket).rejoin(ticket, person, since, now);
                ticket
            }
            (None, None) => self.issue(number, person, now),
        };
        invitation.into_iter().for_each(|it| self.pools.of(ticket).admit(ticket, it));
        Some((ticket, pass))
    }

    fn is_place(&mut self, ticket: Ticket, pool: usize, invitation: Option<u64>) -> bool {
        ticket.pool() == pool && self.pools.of(ticket).invitation(ticket) == invitation
    }

    pub(super) fn step(&mut self, id: ClientId, ticket: Ticket, now: Instant) -> Next {
        if self.holds(id, ticket) { self.advance(ticket, now) } else { Next::Park(None) }
    }

    pub(super) fn heard(&mut self, ticket: Ticket, now: Instant) {
        self.pools.of(ticket).heard(ticket, now);
        self.dispatch();
    }

    /// False if it has been matched, or its place was taken over.
    pub(super) fn leave(&mut self, id: ClientId, ticket: Ticket, device: Option<Identity>) -> bool {
        if !self.holds(id, ticket) && self.flaw != Some(Flaw::StaleLeave) {
            return false;
        }
        self.forget_ticket(ticket, device);
        self.dispatch();
        true
    }

    pub(super) fn abandon(&mut self, ticket: Ticket, device: Option<Identity>) {
        if self.flaw != Some(Flaw::NotAbandoned) && !self.desks.contains_key(&ticket) {
            self.forget_ticket(ticket, device);
        }
    }

    pub(super) fn resume(
        &mut self,
        (id, side): (ConversationId, Side),
        identity: Identity,
        until: Instant,
    ) -> Resumption<ConversationId> {
        let (plain_partner, epoch, expires) = (false, 1, u64::MAX);
        let claims =
            Claims { conversation: id, side, plain_partner, epoch, identity, boot: BOOT, expires };
        let first = self.directory.resume(&claims, &id, until);
        let Resumption::Waiting(ticket) = first else { return first };
        if !self.supersede(ticket) {
            return first;
        }
        self.forget_ticket(ticket, Some(identity));
        self.dispatch();
        self.directory.resume(&claims, &id, until)
    }

    pub(super) fn note_end(
        &mut self,
        id: ConversationId,
        devices: [Option<Identity>; 2],
        cooldown: Duration,
        now: Instant,
    ) {
        self.directory.note_end(id);
        if let [Some(a), Some(b)] = devices
            && self.flaw != Some(Flaw::CooldownForgotten)
        {
            self.acquaintances.met(a, b, now + cooldown, now);
        }
    }

    pub(super) fn block(&mut self, a: Identity, b: Identity) {
        if let [Some(one), Some(other)] = [a, b].map(|device| self.directory.ticket(device))
            && one.pool() == other.pool()
            && self.flaw != Some(Flaw::BlockLate)
        {
            self.pools.of(one).bar(one, other, None);
            self.dispatch();
        }
        self.acquaintances.block(a, b);
    }

    /// Two have met by an invitation.
    pub(super) fn spend(&mut self, pass: Pass) {
        if self.flaw != Some(Flaw::InvitationUnspent) {
            self.invitations.spend(pass);
        }
    }

    fn advance(&mut self, ticket: Ticket, now: Instant) -> Next {
        let step = self.pools.of(ticket).step(ticket, now);
        self.dispatch();
        match step {
            Step::Wait(again) => Next::Park(again),
            Step::Probing(until) => Next::Park(Some(until)),
            Step::Pair(other) => match (self.desks.remove(&ticket), self.desks.remove(&other)) {
                (Some((id, _)), Some((other, desk))) => {
                    self.news.push(News::Matched([id, other]));
                    Next::Move(desk)
                }
                // The checkers find the ticket without a desk.
                _ => Next::Park(None),
            },
        }
    }

    pub(super) fn holds(&self, id: ClientId, ticket: Ticket) -> bool {
        self.desks.get(&ticket).is_some_and(|(holder, _)| *holder == id)
    }

    fn forget_ticket(&mut self, ticket: Ticket, device: Option<Identity>) {
        self.desks.remove(&ticket);
        self.pools.of(ticket).leave(ticket);
        if let Some(device) = device {
            self.directory.stop_waiting(device, ticket);
        }
    }

    fn issue(&mut self, pool: usize, person: &Person, now: Instant) -> Ticket {
        let pool = self.pools.pool(pool);
        let ticket = pool.issue();
        pool.rejoin(ticket, person, now, now);
        ticket
    }

    fn supersede(&mut self, ticket: Ticket) -> bool {
        let Some((_, desk)) = self.desks.remove(&ticket) else { return false };
        self.mail.send(desk, Note::Superseded);
        self.news.push(News::TakenOver);
        true
    }

    fn bar(&mut self, device: Identity, ticket: Ticket, now: Instant) {
        for (other, until) in self.acquaintances.kept_from(device, now) {
            if until.is_some() && ticket.pool() == INVITED {
                continue;
            }
            if until.is_none() && self.flaw == Some(Flaw::BlockUnasked) {
                continue;
            }
            if let Some(theirs) = self.directory.ticket(other)
                && theirs.pool() == ticket.pool()
            {
                self.news.push(News::KeptApart);
                self.pools.of(ticket).bar(ticket, theirs, until);
            }
        }
    }

    fn dispatch(&mut self) {
        for (ticket, order) in self.pools.take_orders() {
            if let Some((_, desk)) = self.desks.get(&ticket) {
                self.mail.send(*desk, Note::Order(order));
            }
        }
    }
}
