//! Reads one section of the tree: every key is asked for once, a wrong value is noted and the default goes on, and at
//! the end a key that nobody asked for is a mistake. So one start shows all mistakes of the file.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::secret::Secret;
use super::tree::{Node, Origin, Table, Value};
use super::{ConfigError, Mistake, value};

/// What all sections share.
pub(super) struct Source<'a> {
    /// The file's name, for mistakes.
    pub(super) name: &'a str,
    /// The file's folder, where relative paths begin.
    pub(super) folder: &'a Path,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, folder: &'a Path) -> Self {
        Self { name, folder, mistakes: RefCell::default() }
    }

    /// Everything that was wrong.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        let mistakes = self.mistakes.into_inner();
        if mistakes.is_empty() { Ok(()) } else { Err(ConfigError(mistakes)) }
    }

    fn note(&self, origin: &Origin, path: &str, text: impl Into<String>) {
        let (place, text) = (self.place(origin, path), text.into());
        self.mistakes.borrow_mut().push(Mistake { place, text });
    }

    fn place(&self, origin: &Origin, path: &str) -> String {
        match origin {
            Origin::Line(line) => format!("{}, line {line}: {path}", self.name),
            Origin::Variable(variable) => variable.clone(),
            Origin::Absent => format!("{}: {path}", self.name),
        }
    }
}

/// One section being read.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    path: String,
    table: Option<&'a Table>,
    origin: Origin,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The whole file, whose keys are the sections.
    pub(super) fn root(source: &'a Source<'a>, table: &'a Table) -> Self {
        Self { source, path: String::new(), table: Some(table), origin: Origin::Absent, asked: Vec::new() }
    }

    /// A section below this one; an absent one reads as empty.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        let path = self.path_of(key);
        let node = self.node(key);
        self.below(path, node)
    }

    /// A section below this one, if it is there.
    pub(super) fn optional_section(&mut self, key: &'static str) -> Option<Self> {
        let path = self.path_of(key);
        let node = self.node(key)?;
        Some(self.below(path, Some(node)))
    }

    /// Every key of a section whose keys are names, with what stands below it.
    pub(super) fn named_sections(&mut self, key: &'static str) -> Vec<(String, Self)> {
        let section = self.section(key);
        let entries = section.table.into_iter().flatten();
        entries.map(|(name, node)| (name.clone(), self.below(format!("{key}.{name}"), Some(node)))).collect()
    }

    /// Every table of a list of tables.
    pub(super) fn listed_sections(&mut self, key: &'static str) -> Vec<Self> {
        let path = self.path_of(key);
        match self.node(key) {
            None => Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items
                .iter()
                .enumerate()
                .map(|(place, item)| self.below(format!("{path}[{place}]"), Some(item)))
                .collect(),
            Some(other) => {
                let text = other.fault().unwrap_or_else(|| "must be a list of tables".to_owned());
                self.source.note(&other.origin, &path, text);
                Vec::new()
            }
        }
    }

    fn below(&self, path: String, node: Option<&'a Node>) -> Self {
        let origin = node.map_or(Origin::Absent, |node| node.origin.clone());
        let table = match node {
            Some(Node { value: Value::Table(table), .. }) => Some(table),
            Some(other) => {
                let text =
                    other.fault().unwrap_or_else(|| format!("must be a table, not {}", other.value.kind()));
                self.source.note(&origin, &path, text);
                None
            }
            None => None,
        };
        Section { source: self.source, path, table, origin, asked: Vec::new() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        self.table?.get(key)
    }

    /// The value of a key, if it is there and right.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.node(key)?;
        match read(node) {
            Ok(value) => Some(value),
            Err(text) => {
                self.source.note(&node.origin, &self.path_of(key), text);
                None
            }
        }
    }

    /// The value of a key, or the default.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// The value of a key that must be there; `None` is noted.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> Option<T> {
        if self.table.is_none_or(|table| !table.contains_key(key)) {
            self.wrong(key, "missing");
        }
        self.optional(key, read)
    }

    /// A path, seen from the file's folder when the file says it.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let folder = self.source.folder;
        self.optional(key, |node| value::path(node, folder))
    }

    /// A path that must be there.
    pub(super) fn required_path(&mut self, key: &'static str) -> Option<PathBuf> {
        let folder = self.source.folder;
        self.required(key, |node| value::path(node, folder))
    }

    /// A secret, given as itself or as the path of a file that holds it; not both.
    pub(super) fn secret(&mut self, key: &'static str, file_key: &'static str) -> Option<Secret> {
        let inline = self.optional(key, value::text).map(|text| Secret::Inline(text.into()));
        let file = self.path(file_key).map(Secret::File);
        if inline.is_some() && file.is_some() {
            self.wrong(key, format!("give {key} or {file_key}, not both"));
        }
        inline.or(file)
    }

    /// Where relative paths in the value of a key begin, as with [`value::path`].
    pub(super) fn base(&self, key: &str) -> &'a Path {
        let node = self.table.and_then(|table| table.get(key));
        let is_variable = node.is_some_and(Node::is_from_environment);
        // With a dot: a bare name would read as the host of a URL.
        if is_variable { Path::new(".") } else { self.source.folder }
    }

    /// Notes a mistake that shows only in the whole.
    pub(super) fn wrong(&self, key: &str, text: impl Into<String>) {
        let node = self.table.and_then(|table| table.get(key));
        let origin = node.map_or(&self.origin, |node| &node.origin);
        self.source.note(origin, &self.path_of(key), text);
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (key, node) in self.table.into_iter().flatten() {
            if !self.asked.contains(&key.as_str()) {
                let text = unknown(key, &self.asked);
                self.source.note(&node.origin, &self.path_of(key), text);
            }
        }
    }
}

fn unknown(key: &str, allowed: &[&'static str]) -> String {
    let hint = crate::nearest::nearest(key, allowed.iter().copied())
        .map_or_else(|| ";".to_owned(), |near| format!("; did you mean {near:?}?"));
    let mut allowed = allowed.to_vec();
    allowed.sort_unstable();
    format!("unknown key{hint} allowed: {}", allowed.join(", "))
}
