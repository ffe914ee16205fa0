//! What the server signs: tokens, with which a seat is taken again, and devices.
//!
//! Knows what is in them, and keys. Must not know clocks (`now` is an argument), files, or who sits
//! where. Clients see opaque text; nothing in it is secret, but nobody else can make it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::envelope::{ConversationId, Side};

/// How long a token is valid, in seconds: a day. A laptop may sleep over night.
pub const TOKEN_LIFE: u64 = 24 * 60 * 60;

/// The length of a key, in bytes: that of the digest (RFC 2104, section 3).
pub const KEY_LENGTH: usize = 32;

/// The most keys of a ring. One is in use; the others are retired, and each may go after
/// [`TOKEN_LIFE`].
pub const MAX_KEYS: usize = 16;

const MAC_LENGTH: usize = 32;
const KEY_ID_LENGTH: usize = 4;

/// The first byte says what was signed, so that nothing can pass for anything else.
const TOKEN: u8 = 1;
const DEVICE: u8 = 2;

/// Kind, key id; conversation, side and kind of partner, epoch, identity, boot id, expiry.
const TOKEN_BODY: usize = 1 + KEY_ID_LENGTH + 16 + 1 + 8 + 16 + 8 + 8;
/// Kind, key id; the device.
const DEVICE_BODY: usize = 1 + KEY_ID_LENGTH + 16;

/// Who holds a seat: 16 bytes, random for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub [u8; 16]);

/// A server process: random, made when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BootId(pub u64);

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The conversation.
    pub conversation: ConversationId,
    /// Which seat of it.
    pub side: Side,
    /// Whether the partner speaks plain, so that only the issuing process can resume.
    pub plain_partner: bool,
    /// Which token of this seat it is, from 1 on.
    pub epoch: u64,
    /// Whose seat it is.
    pub identity: Identity,
    /// The process that issued it.
    pub boot: BootId,
    /// When it expires, in seconds since the Unix epoch.
    pub expires: u64,
}

impl Claims {
    /// Whether half of its life is over at `now` (seconds since the Unix epoch), so that it is time
    /// for a new one.
    pub fn is_due(&self, now: u64) -> bool {
        now >= self.expires.saturating_sub(TOKEN_LIFE / 2)
    }
}

/// Why a token or a device was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Malformed, or not signed by one of the keys.
    #[error("it is malformed, or was not signed by this server")]
    Bad,
    /// It was valid once.
    #[error("it has expired")]
    Expired,
}

/// Why a text holds no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no key in it.
    #[error("there is no key in it; each key is a line of 64 hex digits")]
    Empty,
    /// A line is neither a key nor a comment.
    #[error("line {0} is no key: a key is 64 hex digits")]
    Line(usize),
    /// More than [`MAX_KEYS`], or one twice.
    #[error("line {0} is one key too many, or was there before")]
    Surplus(usize),
}

/// The server's keys: the first signs, all of them verify.
///
/// To rotate: put a new key in front, start the next process, and delete the old key a day later.
/// Devices that an old key signed are void then, and their clients get new ones.
#[derive(Clone)]
pub struct Keyring(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: [u8; KEY_ID_LENGTH],
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Keyring {
    /// Says how many keys there are, and nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.0.len())
    }
}

impl Keyring {
    /// A ring of one key.
    pub fn new(key: [u8; KEY_LENGTH]) -> Self {
        Self(vec![Key::new(&key)])
    }

    /// Reads a key file: a key a line, in hex, the one that signs first. Empty lines, and those that
    /// begin with `#`, are passed over.
    ///
    /// # Errors
    /// If there is no key in it, or something else; errors don't repeat what stands there.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = Key::new(&parse_key(line).ok_or(KeyringError::Line(index + 1))?);
            if keys.len() == MAX_KEYS || keys.iter().any(|own| own.id == key.id) {
                return Err(KeyringError::Surplus(index + 1));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self(keys)) }
    }

    /// A key as it stands in a key file, with its line's end.
    pub fn line(key: &[u8; KEY_LENGTH]) -> String {
        let digits = key.iter().map(|byte| format!("{byte:02x}"));
        digits.chain(["\n".to_owned()]).collect()
    }

    /// Signs a token.
    pub fn sign(&self, claims: &Claims) -> String {
        let mut body = [0; TOKEN_BODY - KEY_ID_LENGTH - 1];
        let side = u8::from(claims.side == Side::B) | u8::from(claims.plain_partner) << 1;
        let parts: [&[u8]; 6] = [
            &claims.conversation.0,
            &[side],
            &claims.epoch.to_be_bytes(),
            &claims.identity.0,
            &claims.boot.0.to_be_bytes(),
            &claims.expires.to_be_bytes(),
        ];
        let mut rest = &mut body[..];
        for part in parts {
            let (front, behind) = rest.split_at_mut(part.len());
            front.copy_from_slice(part);
            rest = behind;
        }
        self.seal(TOKEN, &body)
    }

    /// Opens a token at `now` (seconds since the Unix epoch). Signatures are compared in constant
    /// time.
    ///
    /// # Errors
    /// [`TokenError`]; an expired one is told as such only if it was signed here.
    pub fn open(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
        let signed = self.unseal::<TOKEN_BODY>(TOKEN, token)?;
        let mut body = Parts(&signed[1 + KEY_ID_LENGTH..]);
        let conversation = ConversationId(body.take()?);
        let [side] = body.take()?;
        let claims = Claims {
            conversation,
            side: if side & 1 == 0 { Side::A } else { Side::B },
            plain_partner: side & 2 != 0,
            epoch: u64::from_be_bytes(body.take()?),
            identity: Identity(body.take()?),
            boot: BootId(u64::from_be_bytes(body.take()?)),
            expires: u64::from_be_bytes(body.take()?),
        };
        if now < claims.expires { Ok(claims) } else { Err(TokenError::Expired) }
    }

    /// Signs a device.
    pub fn sign_device(&self, device: Identity) -> String {
        self.seal(DEVICE, &device.0)
    }

    /// Opens a device.
    ///
    /// # Errors
    /// [`TokenError::Bad`]; a device never expires.
    pub fn open_device(&self, device: &str) -> Result<Identity, TokenError> {
        let signed = self.unseal::<DEVICE_BODY>(DEVICE, device)?;
        Parts(&signed[1 + KEY_ID_LENGTH..]).take().map(Identity)
    }

    fn seal(&self, kind: u8, body: &[u8]) -> String {
        // A ring is never empty.
        let Some(key) = self.0.first() else { return String::new() };
        let mut sealed = Vec::with_capacity(TOKEN_BODY + MAC_LENGTH);
        sealed.push(kind);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(body);
        let mac = key.mac.clone().chain_update(&sealed).finalize().into_bytes();
        sealed.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Verifies, and returns what was signed: kind, key id and body, `N` bytes together.
    fn unseal<const N: usize>(&self, kind: u8, text: &str) -> Result<[u8; N], TokenError> {
        // Room for a last group of four characters: the decoder wants to know of three bytes each.
        let mut sealed = [0; TOKEN_BODY + MAC_LENGTH + 3];
        let length =
            URL_SAFE_NO_PAD.decode_slice(text, &mut sealed).map_err(|_| TokenError::Bad)?;
        if length != N + MAC_LENGTH || sealed[0] != kind {
            return Err(TokenError::Bad);
        }
        let (signed, mac) = sealed[..length].split_at(N);
        let key = self.0.iter().find(|key| key.id == signed[1..=KEY_ID_LENGTH]);
        let verifier = key.ok_or(TokenError::Bad)?.mac.clone().chain_update(signed);
        verifier.verify_slice(mac).map_err(|_| TokenError::Bad)?;
        signed.try_into().map_err(|_| TokenError::Bad)
    }
}

/// What was verified, taken apart from the front.
struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (part, rest) = self.0.split_first_chunk().ok_or(TokenError::Bad)?;
        self.0 = rest;
        Ok(*part)
    }
}

impl Key {
    fn new(key: &[u8; KEY_LENGTH]) -> Self {
        // Shorter keys are filled up with zeros to the digest's block (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..KEY_LENGTH].copy_from_slice(key);
        let mac = Hmac::<Sha256>::new(&block.into());
        let digest = mac.clone().chain_update(b"vyoma key id").finalize().into_bytes();
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&digest[..KEY_ID_LENGTH]);
        Self { id, mac }
    }
}

fn parse_key(line: &str) -> Option<[u8; KEY_LENGTH]> {
    let (pairs, rest) = line.as_bytes().as_chunks::<2>();
    if pairs.len() != KEY_LENGTH || !rest.is_empty() {
        return None;
    }
    let mut key = [0; KEY_LENGTH];
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = (digit(0)? << 4 | digit(1)?) as u8;
    }
    Some(key)
}

#[cfg(test)]
mod tests;
