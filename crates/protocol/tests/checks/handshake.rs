//! What must hold for the handshake whatever bytes come in: the fuzz target, the replay of its
//! corpus and the property tests all call [`check`].

#![expect(clippy::expect_used, reason = "a check that fails panics")]

use vyoma_protocol::handshake::{
    HeadScan, Intent, MAX_FIELDS, Refusal, Request, accept_key, check_answer,
};

/// The first byte says how the rest is cut into pieces; the rest is what a client sends.
pub(crate) fn check(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    let whole = HeadScan::new().advance(bytes);
    assert_eq!(in_pieces(bytes, usize::from(*cut) + 1), whole, "cutting must not matter");
    let Ok(Some(length)) = whole else { return };
    let head = &bytes[..length];
    let _ = check_answer(head, b"the sample nonce", &["vyoma.v1"]);
    if let Ok(request) = Request::parse(head) {
        check_request(head, &request);
    }
}

fn in_pieces(bytes: &[u8], size: usize) -> Result<Option<usize>, Refusal> {
    let mut scan = HeadScan::new();
    for end in (0..bytes.len()).step_by(size) {
        let found = scan.advance(&bytes[..end]);
        if found != Ok(None) {
            return found;
        }
    }
    scan.advance(bytes)
}

/// A naive reader, which knows nothing but CR LF, spaces, colons and commas, must see the same.
fn check_request(head: &[u8], request: &Request<'_>) {
    let text: String = head.iter().map(|byte| char::from(*byte)).collect();
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let mut lines = text.strip_suffix("\r\n\r\n").expect("ends with an empty line").split("\r\n");
    let first: Vec<&str> = lines.next().expect("a request line").split(' ').collect();
    assert_eq!(first.len(), 3, "{first:?}");
    assert_eq!(first[1], request.target);
    let fields: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(':').expect("a colon")).collect();
    assert!(fields.len() <= MAX_FIELDS);
    assert_eq!(fields.len(), request.fields.len());
    for ((name, value), (our_name, our_value)) in fields.iter().zip(request.fields.iter()) {
        assert!(!name.is_empty() && !name.contains([' ', '\t']));
        assert_eq!(*name, our_name);
        let ours: String = our_value.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(value.trim_matches([' ', '\t']), ours);
    }
    check_meaning(first[0], first[2], &fields, &request.intent);
}

fn check_meaning(method: &str, version: &str, fields: &[(&str, &str)], intent: &Intent) {
    let all = |name: &str| -> Vec<&str> {
        let named = fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim_matches([' ', '\t'])).collect()
    };
    let token = |name: &str, token: &str| {
        all(name)
            .join(",")
            .split(',')
            .any(|one| one.trim_matches([' ', '\t']).eq_ignore_ascii_case(token))
    };
    assert!(all("host").len() == 1 || (all("host").is_empty() && version == "HTTP/1.0"));
    assert!(all("content-length").len() + all("transfer-encoding").len() <= 1);
    match intent {
        Intent::Http => {
            assert!(!token("upgrade", "websocket") && all("sec-websocket-key").is_empty());
        }
        Intent::Upgrade { accept } => {
            assert_eq!((method, version), ("GET", "HTTP/1.1"));
            assert!(token("upgrade", "websocket") && token("connection", "upgrade"));
            assert_eq!(all("sec-websocket-version"), ["13"]);
            let keys = all("sec-websocket-key");
            assert_eq!((keys.len(), keys[0].len()), (1, 24));
            assert_eq!(*accept, accept_key(keys[0].as_bytes()));
            assert!(all("transfer-encoding").is_empty());
            assert!(all("content-length").iter().all(|length| *length == "0"));
        }
    }
}
