//! The settings as a tree of values that know where they were written: a line of the file or a variable of the
//! environment. The environment lies over the file. Nothing is typed here; [`super::section`] reads the tree.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Mistake};

/// What a variable must begin with, and what stands between the parts of its name.
const PREFIX: &str = "DEBTGATE__";
const SEPARATOR: &str = "__";
/// What lists and tables of TOML begin with.
const BRACKETS: [char; 2] = ['[', '{'];

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// In the file, at this line.
    Line(usize),
    /// In this variable of the environment.
    Variable(String),
    /// Nowhere: a section that is absent.
    Absent,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// A value that has no type yet. `Debug` shows no text, because it may be a password.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    /// A kind of TOML value that no setting takes as it is.
    Other(&'static str),
    List(Vec<Node>),
    Table(Table),
}

/// Keys and values.
pub(super) type Table = BTreeMap<String, Node>;

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind())
    }
}

impl Value {
    /// What kind of value it is, for people.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Bool(_) => "true or false",
            Self::Other(kind) => kind,
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// Whether the value comes from the environment, where everything is a text.
    pub(super) const fn is_from_environment(&self) -> bool {
        matches!(self.origin, Origin::Variable(_))
    }

    /// Why a variable that begins like a list or a table is none; for those who need one.
    pub(super) fn fault(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) if self.is_from_environment() && text.starts_with(BRACKETS) => {
                let error = DeValue::parse(text).err()?;
                Some(format!("not a list or table of TOML: {}", error.message()))
            }
            Value::Text(_)
            | Value::Integer(_)
            | Value::Bool(_)
            | Value::Other(_)
            | Value::List(_)
            | Value::Table(_) => None,
        }
    }
}

/// Reads the text of a file called `name`.
pub(super) fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match DeTable::parse(text) {
        Ok(table) => Ok(convert_table(table.into_inner(), &|place| Origin::Line(line_of(text, place)))),
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let place = format!("{name}, line {line}");
            Err(ConfigError(vec![Mistake { place, text: format!("not TOML: {}", error.message()) }]))
        }
    }
}

fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

fn convert_table(table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) -> Table {
    table
        .into_iter()
        .map(|(key, value)| {
            let place = origin(key.span().start);
            let value = convert(value.into_inner(), origin);
            (key.into_inner().into_owned(), Node { value, origin: place })
        })
        .collect()
}

fn convert(value: DeValue<'_>, origin: &dyn Fn(usize) -> Origin) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            let digits = i64::from_str_radix(number.as_str(), number.radix());
            digits.map_or(Value::Other("a number beyond 64 bits"), Value::Integer)
        }
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Boolean(value) => Value::Bool(value),
        // A date may be written with quotes and without.
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => {
            Value::List(items.into_iter().map(|item| convert_item(item, origin)).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, origin)),
    }
}

fn convert_item(item: Spanned<DeValue<'_>>, origin: &dyn Fn(usize) -> Origin) -> Node {
    let place = origin(item.span().start);
    Node { value: convert(item.into_inner(), origin), origin: place }
}

/// Whether a variable of the environment is a setting of ours.
pub(super) fn is_setting(variable: &str) -> bool {
    variable.starts_with(PREFIX)
}

/// Lays the variables of the environment over the tree; those without our prefix are not ours.
pub(super) fn overlay(
    tree: &mut Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let mut mistakes = Vec::new();
    for (variable, text) in variables {
        let Some(path) = variable.strip_prefix(PREFIX) else { continue };
        let path: Vec<String> = path.split(SEPARATOR).map(str::to_lowercase).collect();
        let origin = Origin::Variable(variable.clone());
        let value = variable_value(&text, &origin);
        if let Err(text) = insert(tree, &path, Node { value, origin }) {
            mistakes.push(Mistake { place: variable, text });
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(ConfigError(mistakes)) }
}

/// Lists and tables are written as in the file, everything else as it is. An address of IPv6 begins like a list too.
fn variable_value(text: &str, origin: &Origin) -> Value {
    match DeValue::parse(text) {
        Ok(value) if text.starts_with(BRACKETS) => convert(value.into_inner(), &|_place| origin.clone()),
        Ok(_) | Err(_) => Value::Text(text.to_owned()),
    }
}

fn insert(table: &mut Table, path: &[String], node: Node) -> Result<(), String> {
    let (key, rest) = match path {
        [key, rest @ ..] if !key.is_empty() => (key, rest),
        [..] => return Err("an empty part in the name; DEBTGATE__SECTION__KEY is needed".to_owned()),
    };
    // Names of signers keep the letters of the file; variables have no case.
    let key = table.keys().find(|known| known.to_lowercase() == *key).unwrap_or(key).clone();
    if rest.is_empty() {
        table.insert(key, node);
        return Ok(());
    }
    let origin = node.origin.clone();
    let below = table.entry(key).or_insert_with(|| Node { value: Value::Table(Table::new()), origin });
    match &mut below.value {
        Value::Table(below) => insert(below, rest, node),
        Value::Text(_) | Value::Integer(_) | Value::Bool(_) | Value::Other(_) | Value::List(_) => {
            Err("there is no such section".to_owned())
        }
    }
}
