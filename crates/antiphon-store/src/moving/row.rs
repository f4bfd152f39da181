//! A row as neither engine has it: what both of theirs are turned into.

use std::hash::{DefaultHasher, Hasher};

/// How a column is stored by the engine that tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Small,
    Bool,
    Text,
    Bytes,
}

/// What is in a column. Truth is 1, and falsehood 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// The number in it; 0 where there is none.
    pub(crate) fn int(&self) -> i64 {
        match self {
            Self::Int(value) => *value,
            _ => 0,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Int(_) => 8,
        }
    }
}

/// The columns of a row but its portal, in the table's order.
pub(crate) type Row = Vec<Value>;

/// How much memory rows take, roughly.
pub(crate) fn weight(rows: &[Row]) -> usize {
    rows.iter().flatten().map(Value::bytes).sum()
}

/// Values as bytes; no two lists of values have the same.
pub(crate) fn encode(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in values {
        let (tag, content): (u8, &[u8]) = match value {
            Value::Null => (0, &[]),
            Value::Int(value) => {
                bytes.push(1);
                bytes.extend(value.to_be_bytes());
                continue;
            }
            Value::Text(text) => (2, text.as_bytes()),
            Value::Bytes(content) => (3, content),
        };
        bytes.push(tag);
        if tag > 0 {
            bytes.extend((content.len() as u64).to_be_bytes());
            bytes.extend(content);
        }
    }
    bytes
}

/// From bytes to what was encoded; `None` where nothing was.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        if *tag == 0 {
            values.push(Value::Null);
            bytes = rest;
            continue;
        }
        let (number, rest) = rest.split_first_chunk::<8>()?;
        if *tag == 1 {
            values.push(Value::Int(i64::from_be_bytes(*number)));
            bytes = rest;
            continue;
        }
        let (content, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*number)).ok()?)?;
        values.push(match tag {
            2 => Value::Text(std::str::from_utf8(content).ok()?.to_owned()),
            3 => Value::Bytes(content.to_vec()),
            _ => return None,
        });
        bytes = rest;
    }
    Some(values)
}

/// How many rows there are and what is in them, whatever their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub rows: u64,
    pub checksum: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, rows: &[Row]) {
        for row in rows {
            let mut hasher = DefaultHasher::new();
            hasher.write(&encode(row));
            self.checksum = self.checksum.wrapping_add(hasher.finish());
            self.rows += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        let values = vec![
            Value::Int(-7),
            Value::Null,
            Value::Text("ä".into()),
            Value::Bytes(vec![0, 255]),
            Value::Text(String::new()),
        ];
        assert_eq!(decode(&encode(&values)), Some(values));
        assert_eq!(decode(&[1, 0]), None);
        assert_ne!(encode(&[Value::Text("a".into())]), encode(&[Value::Bytes(vec![b'a'])]));
    }

    #[test]
    fn a_sum_knows_what_but_not_in_which_order() {
        let (one, other) = (vec![Value::Int(1)], vec![Value::Int(2)]);
        let sum = |rows: &[Row]| {
            let mut sum = Sum::default();
            sum.add(rows);
            sum
        };
        assert_eq!(sum(&[one.clone(), other.clone()]), sum(&[other.clone(), one.clone()]));
        assert_ne!(sum(&[one.clone(), one.clone()]), sum(&[one, other]));
    }
}
