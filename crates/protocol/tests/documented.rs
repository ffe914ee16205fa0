//! `docs/protocol.md` lists every reason, as the code has it.

use vyoma_protocol::{Reason, plain};

const DOC: &str = include_str!("../../../docs/protocol.md");

fn table() -> String {
    let mut table =
        "| number | name | close code | sentence |\n| --- | --- | --- | --- |\n".to_string();
    for reason in Reason::ALL {
        let code = reason.close_code().map_or("none".to_string(), |code| code.get().to_string());
        let (number, name) = (reason.number(), reason.name());
        table += &format!("| {number} | `{name}` | {code} | {} |\n", reason.sentence());
    }
    table
}

#[test]
fn the_table_of_reasons_is_that_of_the_code() {
    assert!(DOC.contains(&table()), "docs/protocol.md should contain:\n{}", table());
}

#[test]
fn the_notices_are_those_of_the_code() {
    for notice in [plain::WAITING, plain::CONNECTED, plain::DISCONNECTED] {
        assert!(
            DOC.contains(&format!("| `{notice}` |")) || DOC.contains(&format!("`{notice}` (both"))
        );
    }
}
