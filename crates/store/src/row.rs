//! One row of an answer. The accessors hide what differs between the engines (a boolean is an integer in SQLite) and panic
//! with the column's number on a wrong type: that is a programming error, and every test runs on both engines to find it.

use crate::value::Value;
use model::Timestamp;

/// One row: owned values, read by their place from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(Vec<Value>);

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident, $opt:ident -> $type:ty: $word:literal, $($pattern:pat => $value:expr),+;)+) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(&self, column: usize) -> $type {
            match self.value(column) {
                $($pattern => $value,)+
                other => wrong(column, $word, other),
            }
        }
        /// The same, or `None` for NULL.
        #[track_caller]
        pub fn $opt(&self, column: usize) -> Option<$type> {
            match self.value(column) {
                Value::Null => None,
                _ => Some(self.$name(column)),
            }
        }
    )+};
}

impl Row {
    /// A row of these values.
    pub fn new(values: Vec<Value>) -> Self {
        Self(values)
    }
    /// The value of a column as it came.
    #[track_caller]
    pub fn value(&self, column: usize) -> &Value {
        match self.0.get(column) {
            Some(value) => value,
            None => panic!("column {column} is not in the row, it has {}", self.0.len()),
        }
    }
    accessors! {
        /// A number.
        int, opt_int -> i64: "an integer", Value::Int(v) => *v;
        /// A time.
        at, opt_at -> Timestamp: "a time", Value::Int(v) => Timestamp(*v);
        /// A float.
        float, opt_float -> f64: "a float", Value::Float(v) => *v;
        /// A flag.
        bool, opt_bool -> bool: "a boolean", Value::Bool(v) => *v, Value::Int(v @ (0 | 1)) => *v == 1;
        /// A text of its own.
        text, opt_text -> String: "a text", Value::Text(v) => v.clone();
        /// A text, borrowed: for words and JSON that are parsed at once.
        str, opt_str -> &str: "a text", Value::Text(v) => v;
        /// Bytes of their own.
        bytes, opt_bytes -> Vec<u8>: "bytes", Value::Bytes(v) => v.clone();
    }
    /// An id of any kind.
    #[track_caller]
    pub fn id<T: From<i64>>(&self, column: usize) -> T {
        self.int(column).into()
    }
    /// The same, or `None` for NULL.
    #[track_caller]
    pub fn opt_id<T: From<i64>>(&self, column: usize) -> Option<T> {
        self.opt_int(column).map(Into::into)
    }
    /// How many columns the row has.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// True for a row without columns.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[track_caller]
fn wrong(column: usize, wanted: &str, found: &Value) -> ! {
    panic!("column {column} holds {}, wanted {wanted}", found.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ContactId;

    #[test]
    fn columns_are_read_by_type() {
        let row = Row::new(vec![Value::Int(1), Value::Null, Value::Text("x".into()), Value::Bool(true)]);
        assert_eq!(row.id::<ContactId>(0), ContactId(1));
        assert_eq!(row.opt_id::<ContactId>(1), None);
        assert!(row.bool(0) && row.bool(3));
        assert_eq!((row.text(2).as_str(), row.opt_str(2), row.opt_text(1)), ("x", Some("x"), None));
        assert_eq!(row.at(0), Timestamp(1));
    }

    #[test]
    #[should_panic(expected = "column 1 holds NULL, wanted an integer")]
    fn a_wrong_type_names_the_column() {
        Row::new(vec![Value::Int(1), Value::Null]).int(1);
    }
}
