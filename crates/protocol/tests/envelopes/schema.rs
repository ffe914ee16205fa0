//! docs/schema/vyoma.v1.json is the schema that the code's table makes, and agrees with the fixtures.

use std::path::Path;

use serde_json::{Map, Value, json};
use vyoma_protocol::envelope::{ClientEnvelope, ServerEnvelope, TypeSpec};

use crate::fixtures::{self, Case};

#[test]
fn the_schema_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/vyoma.v1.json");
    let ours = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::fs::read_to_string(&path).unwrap_or_default() != ours {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vyoma.v1.json");
        std::fs::write(&fresh, ours).unwrap();
        panic!("docs/schema/vyoma.v1.json is out of date; it should be {}", fresh.display());
    }
}

#[test]
fn the_schema_takes_and_refuses_what_the_fixtures_say() {
    let schema = schema();
    check(&schema, "client", &fixtures::client());
    check(&schema, "server", &fixtures::server());
}

fn check(schema: &Value, side: &str, cases: &[Case]) {
    // What is no JSON, or has a key twice, a schema never sees.
    let of_fields = ["missing_field", "unknown_key", "bad_field", "no_type", "unknown_type"];
    for case in cases {
        let expected = match &case.verdict {
            Ok(_) => true,
            Err(error) if of_fields.contains(&error.as_str()) => case.beyond_schema,
            Err(_) => continue,
        };
        let value: Value = serde_json::from_str(&case.text).unwrap();
        let taken = fits(schema, &schema["$defs"][side], &value);
        assert_eq!(taken, expected, "{side}: {}: {}", case.name, case.text);
    }
}

fn schema() -> Value {
    let mut defs = Map::new();
    for (side, types) in [("client", ClientEnvelope::TYPES), ("server", ServerEnvelope::TYPES)] {
        let reference = |kind: &TypeSpec| json!({"$ref": format!("#/$defs/{side}.{}", kind.name)});
        defs.insert(side.into(), json!({"oneOf": types.iter().map(reference).collect::<Vec<_>>()}));
        for kind in types {
            defs.insert(format!("{side}.{}", kind.name), envelope(kind, side == "client"));
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vyoma.v1",
        "description": "The envelopes of docs/protocol.md. Lengths are counted in characters here, but in bytes of UTF-8 there.",
        "$defs": defs,
    })
}

fn envelope(kind: &TypeSpec, strict: bool) -> Value {
    let mut properties = Map::new();
    properties.insert("type".into(), json!({"const": kind.name}));
    let mut required = vec!["type"];
    for field in kind.fields {
        let schema: Value = serde_json::from_str(field.schema).unwrap();
        let nullable = field.need == "nullable";
        let schema = if nullable { json!({"anyOf": [schema, {"type": "null"}]}) } else { schema };
        properties.insert(field.name.into(), schema);
        if field.need != "optional" {
            required.push(field.name);
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "required": required});
    if strict {
        schema["patternProperties"] = json!({"^x_[a-z_]{0,30}$": true});
        schema["additionalProperties"] = json!(false);
    }
    schema
}

/// Whether a value fits a schema: as much of JSON Schema as the one above uses.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(rules) = schema.as_object() else { return schema == true };
    rules.iter().all(|(rule, with)| match rule.as_str() {
        "$ref" => fits(root, root.pointer(&with.as_str().unwrap()[1..]).unwrap(), value),
        "oneOf" => {
            with.as_array().unwrap().iter().filter(|one| fits(root, one, value)).count() == 1
        }
        "anyOf" => with.as_array().unwrap().iter().any(|one| fits(root, one, value)),
        "const" => value == with,
        "enum" => with.as_array().unwrap().contains(value),
        "type" => has_type(with.as_str().unwrap(), value),
        "minimum" => value.as_f64().is_none_or(|number| number >= with.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= with.as_f64().unwrap()),
        "minLength" => length(value).is_none_or(|length| length >= with.as_u64().unwrap()),
        "maxLength" => length(value).is_none_or(|length| length <= with.as_u64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| matches(with.as_str().unwrap(), text)),
        "items" => value.as_array().is_none_or(|all| all.iter().all(|one| fits(root, with, one))),
        "maxItems" => value.as_array().is_none_or(|all| all.len() as u64 <= with.as_u64().unwrap()),
        "required" => value.as_object().is_none_or(|object| {
            with.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|object| {
            let known = object.iter().filter_map(|(key, own)| Some((with.get(key)?, own)));
            known.into_iter().all(|(rule, own)| fits(root, rule, own))
        }),
        "additionalProperties" => value
            .as_object()
            .is_none_or(|object| object.keys().all(|key| is_named(rules, key)) || with == true),
        "patternProperties" => true,
        _ => panic!("{rule} is not used"),
    })
}

fn is_named(rules: &Map<String, Value>, key: &str) -> bool {
    let patterns = rules.get("patternProperties").and_then(Value::as_object);
    rules["properties"].get(key).is_some()
        || patterns.is_some_and(|all| all.keys().any(|pattern| matches(pattern, key)))
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("the type {name} is not used"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

/// Patterns of the form `^prefix[class]{counts}$`.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix("}$")).unwrap();
    let (prefix, rest) = pattern.split_once('[').unwrap();
    let (class, counts) = rest.split_once("]{").unwrap();
    let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
    let class: Vec<char> = class.chars().collect();
    let in_class = |c: char| {
        class.windows(3).any(|range| range[1] == '-' && (range[0]..=range[2]).contains(&c))
            || (class.contains(&c) && (c != '-' || class.last() == Some(&'-')))
    };
    let counts = least.parse().unwrap()..=most.parse::<usize>().unwrap();
    text.strip_prefix(prefix)
        .is_some_and(|rest| counts.contains(&rest.chars().count()) && rest.chars().all(in_class))
}
