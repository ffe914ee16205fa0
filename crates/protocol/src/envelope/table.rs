//! How the table of envelopes becomes code: one enum a direction, its reader and its writer.

use super::codec::Codec;
use super::fault::Fault;
use super::scan::Scanned;
use crate::Reason;

/// An envelope's type and fields, for documents and tests to be held to.
#[derive(Debug, Clone, Copy)]
pub struct TypeSpec {
    /// The value of `type`.
    pub name: &'static str,
    /// Its other fields.
    pub fields: &'static [FieldSpec],
}

/// A field of an envelope.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Its key.
    pub name: &'static str,
    /// `required`, `optional` (may be left out) or `nullable` (must be there, may be null).
    pub need: &'static str,
    /// The JSON Schema of its value, null aside; it counts characters where the code counts bytes.
    pub schema: &'static str,
}

/// Defines an enum of envelopes from a table, so that reading, writing, schema and documentation
/// can't differ. A row is `"type" => Variant { need field: Type as Codec, }`, the need as in
/// [`FieldSpec`]; what isn't required is an `Option`.
macro_rules! envelopes {
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$each:meta])* $kind:literal => $variant:ident {
                $($(#[$told:meta])* $need:ident $field:ident: $type:ty as $codec:ty,)*
            })+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name<'a> {
            $($(#[$each])* $variant { $($(#[$told])* $field: field_type!($need $type),)* },)+
        }

        impl<'a> $name<'a> {
            /// The table: every type with its fields.
            pub const TYPES: &'static [TypeSpec] = &[$(TypeSpec {
                name: $kind,
                fields: &[$(FieldSpec {
                    name: stringify!($field),
                    need: stringify!($need),
                    schema: <$codec as Codec<'a, $type>>::SCHEMA,
                },)*],
            },)+];

            /// The value of `type`.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $kind,)+ }
            }

            /// Appends the envelope, without white space, its fields in the order of the table.
            pub fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant { $($field,)* } => {
                        out.extend_from_slice(concat!("{\"type\":\"", $kind, "\"").as_bytes());
                        $(table::$need::write::<$codec, $type>(
                            $field, concat!(",\"", stringify!($field), "\":"), out,
                        );)*
                    })+
                }
                out.push(b'}');
            }

            /// Reads the fields; `strict` refuses keys that the type doesn't have.
            fn from_scanned(scanned: &Scanned<'a>, strict: bool) -> Result<Self, Fault<'a>> {
                match scanned.kind {
                    $($kind => {
                        if strict {
                            scanned.only(&[$(stringify!($field),)*], $kind)?;
                        }
                        Ok(Self::$variant { $($field: table::$need::read::<$codec, $type>(
                            scanned, $kind, stringify!($field),
                        )?,)* })
                    })+
                    _ => Err(Fault::of_field(Reason::UnknownType, None, "type")),
                }
            }
        }
    };
}

/// The Rust type of a field, by its need.
macro_rules! field_type {
    (required $type:ty) => { $type };
    ($need:ident $type:ty) => { Option<$type> };
}

pub(super) use {envelopes, field_type};

/// Fields that must be there.
pub(super) mod required {
    use super::*;

    pub(in super::super) fn read<'a, C: Codec<'a, T>, T>(
        scanned: &Scanned<'a>,
        about: &'static str,
        key: &'static str,
    ) -> Result<T, Fault<'a>> {
        let missing = Fault::of_field(Reason::MissingField, Some(about), key);
        value::<C, T>(scanned.find(key).ok_or(missing)?, about, key)
    }

    pub(in super::super) fn write<'a, C: Codec<'a, T>, T>(value: &T, key: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(key.as_bytes());
        C::write(value, out);
    }
}

/// Fields that may be left out.
pub(super) mod optional {
    use super::*;

    pub(in super::super) fn read<'a, C: Codec<'a, T>, T>(
        scanned: &Scanned<'a>,
        about: &'static str,
        key: &'static str,
    ) -> Result<Option<T>, Fault<'a>> {
        scanned.find(key).map(|found| value::<C, T>(found, about, key)).transpose()
    }

    pub(in super::super) fn write<'a, C: Codec<'a, T>, T>(
        value: &Option<T>,
        key: &str,
        out: &mut Vec<u8>,
    ) {
        if let Some(value) = value {
            required::write::<C, T>(value, key, out);
        }
    }
}

/// Fields that must be there, and may be null.
pub(super) mod nullable {
    use super::*;

    pub(in super::super) fn read<'a, C: Codec<'a, T>, T>(
        scanned: &Scanned<'a>,
        about: &'static str,
        key: &'static str,
    ) -> Result<Option<T>, Fault<'a>> {
        if scanned.find(key) == Some("null") {
            return Ok(None);
        }
        required::read::<C, T>(scanned, about, key).map(Some)
    }

    pub(in super::super) fn write<'a, C: Codec<'a, T>, T>(
        value: &Option<T>,
        key: &str,
        out: &mut Vec<u8>,
    ) {
        match value {
            Some(value) => required::write::<C, T>(value, key, out),
            None => {
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(b"null");
            }
        }
    }
}

fn value<'a, C: Codec<'a, T>, T>(
    found: &'a str,
    about: &'static str,
    key: &'static str,
) -> Result<T, Fault<'a>> {
    C::read(found)
        .map_err(|(reason, inside)| Fault::of_field(reason, Some(about), inside.unwrap_or(key)))
}
