//! Values that are bound to a statement or read from a row: the few types that both engines share.

use model::Timestamp;

/// One bound or read value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT: numbers, ids, times.
    Int(i64),
    /// DOUBLE PRECISION.
    Float(f64),
    /// BOOLEAN (an integer inside SQLite).
    Bool(bool),
    /// TEXT.
    Text(String),
    /// BYTEA.
    Bytes(Vec<u8>),
}

impl Value {
    /// The word for the kind of this value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a boolean",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// The values of a statement: `values![workspace, id, now]` is a `&[Value]`, each element by `Value::from`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] as &[$crate::Value] };
}

macro_rules! value_from {
    ($($from:ty, $value:ident => $to:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )+};
}
value_from! {
    i64, v => Self::Int(v);
    i32, v => Self::Int(v.into());
    u32, v => Self::Int(v.into());
    u16, v => Self::Int(v.into());
    f64, v => Self::Float(v);
    bool, v => Self::Bool(v);
    &str, v => Self::Text(v.to_owned());
    &String, v => Self::Text(v.clone());
    String, v => Self::Text(v);
    Vec<u8>, v => Self::Bytes(v);
    &[u8], v => Self::Bytes(v.to_vec());
    Timestamp, v => Self::Int(v.0);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
/// Statements take their values by reference, so a value that is already one may be repeated.
impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

macro_rules! value_from_id {
    ($($name:ident)+) => {$(
        impl From<model::$name> for Value {
            fn from(id: model::$name) -> Self {
                Self::Int(id.0)
            }
        }
    )+};
}
model::for_each_id!(value_from_id);

#[cfg(test)]
mod tests {
    use super::Value;
    use model::{ContactId, Timestamp, WorkspaceId};

    #[test]
    fn values_come_from_the_types_of_the_model() {
        let none: Option<ContactId> = None;
        let bound: &[Value] = values![WorkspaceId(1), Some(ContactId(2)), none, Timestamp(3), "x", Some("y"), true, 1.5];
        let wanted = [
            Value::Int(1),
            Value::Int(2),
            Value::Null,
            Value::Int(3),
            Value::Text("x".into()),
            Value::Text("y".into()),
            Value::Bool(true),
            Value::Float(1.5),
        ];
        assert_eq!(bound, wanted);
    }
}
