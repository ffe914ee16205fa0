//! Tokens and devices: what is signed comes back, and nothing else is taken.

use proptest::prelude::*;

use super::*;

fn claims() -> Claims {
    Claims {
        conversation: ConversationId([7; 16]),
        side: Side::B,
        plain_partner: false,
        epoch: 3,
        identity: Identity([9; 16]),
        boot: BootId(0x0123_4567_89ab_cdef),
        expires: 1_000 + TOKEN_LIFE,
    }
}

#[test]
fn a_token_is_valid_to_its_last_second_and_due_at_half_its_life() {
    let (ring, claims) = (Keyring::new([1; 32]), claims());
    let token = ring.sign(&claims);
    assert_eq!(ring.open(&token, claims.expires - 1), Ok(claims));
    assert_eq!(ring.open(&token, claims.expires), Err(TokenError::Expired));
    assert!(!claims.is_due(999 + TOKEN_LIFE / 2) && claims.is_due(1_000 + TOKEN_LIFE / 2));
    assert!(token.len() <= 256, "the longest that an envelope takes");
}

#[test]
fn a_new_key_signs_and_the_old_one_still_verifies() {
    let (old, new) = (Keyring::new([1; 32]), Keyring::new([2; 32]));
    let both = Keyring::parse(&(Keyring::line(&[2; 32]) + "# old\n\n" + &Keyring::line(&[1; 32])));
    let both = both.unwrap();
    assert_eq!(both.open(&old.sign(&claims()), 0), Ok(claims()));
    assert_eq!(new.open(&both.sign(&claims()), 0), Ok(claims()));
    assert_eq!(new.open(&old.sign(&claims()), 0), Err(TokenError::Bad));
    assert_eq!(both.open_device(&old.sign_device(Identity([5; 16]))), Ok(Identity([5; 16])));
    assert_eq!(new.open_device(&old.sign_device(Identity([5; 16]))), Err(TokenError::Bad));
}

#[test]
fn one_kind_never_passes_for_another() {
    let ring = Keyring::new([1; 32]);
    assert_eq!(ring.open_device(&ring.sign(&claims())), Err(TokenError::Bad));
    assert_eq!(ring.open(&ring.sign_device(Identity([5; 16])), 0), Err(TokenError::Bad));
}

#[test]
fn key_files_are_read_strictly_and_never_repeated() {
    let line = Keyring::line(&[0xab; 32]);
    assert_eq!(line, "ab".repeat(32) + "\n");
    let error = |text: &str| Keyring::parse(text).unwrap_err();
    assert_eq!(error(""), KeyringError::Empty);
    assert_eq!(error("# none\n"), KeyringError::Empty);
    assert_eq!(error("# one\nabc"), KeyringError::Line(2));
    assert_eq!(error(&"g".repeat(64)), KeyringError::Line(1));
    assert_eq!(error(&line.repeat(2)), KeyringError::Surplus(2));
    let many: String = (0..=MAX_KEYS as u8).map(|key| Keyring::line(&[key; 32])).collect();
    assert_eq!(error(&many), KeyringError::Surplus(MAX_KEYS + 1));
    let ring = Keyring::parse(&line.to_uppercase()).unwrap();
    assert_eq!(format!("{ring:?}"), "Keyring(1 keys)");
}

#[test]
fn the_signature_is_hmac_sha_256_over_all_before_it() {
    // RFC 4231, test case 1, has a key of 20 bytes; filled up with zeros it is the same key.
    let mut key = [0; 32];
    key[..20].fill(0x0b);
    let mac = Key::new(&key).mac.chain_update(b"Hi There").finalize().into_bytes();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

proptest! {
    #[test]
    fn what_is_signed_comes_back(
        key: [u8; 32], conversation: [u8; 16], identity: [u8; 16], epoch: u64, boot: u64,
        expires in 1u64.., b: bool, plain_partner: bool,
    ) {
        let (ring, side) = (Keyring::new(key), if b { Side::B } else { Side::A });
        let claims = Claims {
            conversation: ConversationId(conversation), side, plain_partner, epoch,
            identity: Identity(identity), boot: BootId(boot), expires,
        };
        prop_assert_eq!(ring.open(&ring.sign(&claims), 0), Ok(claims));
        let device = ring.sign_device(Identity(identity));
        prop_assert_eq!(ring.open_device(&device), Ok(Identity(identity)));
    }

    #[test]
    fn no_other_text_is_taken(at: prop::sample::Index, other in "[A-Za-z0-9_-]") {
        let ring = Keyring::new([1; 32]);
        for sealed in [ring.sign(&claims()), ring.sign_device(Identity([5; 16]))] {
            let at = at.index(sealed.len());
            let mut forged = sealed.clone();
            forged.replace_range(at..=at, &other);
            let taken = ring.open(&forged, 0).is_ok() || ring.open_device(&forged).is_ok();
            prop_assert_eq!(taken, forged == sealed);
            prop_assert!(ring.open(&sealed[..at], 0).is_err());
            prop_assert!(ring.open(&(sealed + &other), 0).is_err());
        }
    }
}
