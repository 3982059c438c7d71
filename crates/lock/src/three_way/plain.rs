//! TOML as data alone, to be compared whatever the formatting.

use std::collections::BTreeMap;

use toml_edit::{InlineTable, Item, Table, Value};

/// A value without its formatting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plain {
    Nothing,
    Scalar(String),
    List(Vec<Plain>),
    Map(BTreeMap<String, Plain>),
}

impl Plain {
    pub(super) fn of(item: &Item) -> Self {
        match item {
            Item::None => Self::Nothing,
            Item::Value(value) => Self::of_value(value),
            Item::Table(table) => Self::of_table(table),
            Item::ArrayOfTables(tables) => Self::List(tables.iter().map(Self::of_table).collect()),
        }
    }

    pub(super) fn of_table(table: &Table) -> Self {
        let items = table.iter();
        Self::Map(
            items
                .map(|(key, item)| (key.to_owned(), Self::of(item)))
                .collect(),
        )
    }

    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Scalar(format!("s{}", text.value())),
            Value::Integer(number) => Self::Scalar(format!("i{}", number.value())),
            Value::Float(number) => Self::Scalar(format!("f{}", number.value())),
            Value::Boolean(flag) => Self::Scalar(format!("b{}", flag.value())),
            Value::Datetime(time) => Self::Scalar(format!("t{}", time.value())),
            Value::Array(values) => Self::List(values.iter().map(Self::of_value).collect()),
            Value::InlineTable(table) => Self::of_inline(table),
        }
    }

    fn of_inline(table: &InlineTable) -> Self {
        let values = table.iter();
        Self::Map(
            values
                .map(|(key, value)| (key.to_owned(), Self::of_value(value)))
                .collect(),
        )
    }
}
