//! YAML text into a tree: what `granit-parser` does not do for us. Anchors and merges (`<<`) are resolved, duplicate
//! keys refused, size and depth bounded. What a key or a value means is not known here.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use crate::tree::{Entry, Node, Scalar, Value};
use crate::{ConfigError, Place, Source};

/// How many values a configuration may have, those that aliases repeat included: stops alias bombs.
const MAX_NODES: usize = 10_000;

/// How deep flow collections may nest, and again block collections: the loader recurses.
const MAX_DEPTH: usize = 32;

/// Turns the text of a file into its tree; an empty file is null.
pub(crate) fn load(text: &str, file: &Arc<str>) -> Result<Node, ConfigError> {
    load_from(text, Source::File(Arc::clone(file)))
}

/// Turns a text of any source into its tree, as [`load`] does.
pub(crate) fn load_from(text: &str, source: Source) -> Result<Node, ConfigError> {
    let options = granit_parser::options! {
        emit_comments: false,
        block_scalar_eof_without_line_feed: true, // as Go's parser reads it
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    Loader { parser, source, anchors: HashMap::new(), nodes_left: MAX_NODES }.document()
}

struct Loader<'text> {
    parser: Parser<'text, StrInput<'text>>,
    source: Source,
    /// Complete nodes only, so that nothing can contain itself.
    anchors: HashMap<usize, Node>,
    nodes_left: usize,
}

impl<'text> Loader<'text> {
    fn document(&mut self) -> Result<Node, ConfigError> {
        let mut root = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root.unwrap_or_else(|| Node::null(place))),
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(syntax(
                        place,
                        "a second document begins here; a configuration is one document",
                    ));
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, place)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'text>, Place), ConfigError> {
        match self.parser.next() {
            Some(Ok((event, span))) => Ok((event, self.place(span.start))),
            Some(Err(error)) => Err(syntax(self.place(*error.marker()), &error.info())),
            None => Ok((Event::StreamEnd, self.place(Marker::new(0, 1, 0)))),
        }
    }

    fn place(&self, marker: Marker) -> Place {
        Place::new(self.source.clone(), marker.line(), marker.col() + 1)
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'text>, place: Place) -> Result<Node, ConfigError> {
        self.spend(1, &place)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = !makes_text(tag.as_deref(), &place)? && style == ScalarStyle::Plain;
                (Value::Scalar(Scalar { text: text.into_owned(), plain }), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                makes_text(tag.as_deref(), &place)?;
                (Value::Sequence(self.sequence()?), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                makes_text(tag.as_deref(), &place)?;
                (Value::Mapping(self.mapping()?), anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, place),
            _ => return Err(syntax(place, "a value is expected here")),
        };
        let node = Node { place, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// A copy of what the anchor stands for. It keeps the places of the original, where a fault is to be mended.
    fn alias(&mut self, anchor: usize, place: Place) -> Result<Node, ConfigError> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(syntax(place, "an alias inside of what it stands for"));
        };
        self.spend(node.count(), &place)?;
        Ok(node)
    }

    fn spend(&mut self, nodes: usize, place: &Place) -> Result<(), ConfigError> {
        let Some(left) = self.nodes_left.checked_sub(nodes) else {
            return Err(syntax(place.clone(), &format!("more than {MAX_NODES} values, aliases included")));
        };
        self.nodes_left = left;
        Ok(())
    }

    fn sequence(&mut self) -> Result<Vec<Node>, ConfigError> {
        let mut items = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(event, place)?);
        }
    }

    fn mapping(&mut self) -> Result<Vec<Entry>, ConfigError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merges: Option<Entry> = None;
        loop {
            let (event, key_place) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let Value::Scalar(key) = self.node(event, key_place.clone())?.value else {
                return Err(syntax(key_place, "a key must be a plain text, not a list or a mapping"));
            };
            let is_merge = key.plain && key.text == "<<";
            let first = if is_merge { merges.as_ref() } else { find(&entries, &key.text) };
            if let Some(first) = first.map(|entry| entry.key_place.clone()) {
                return Err(ConfigError::Duplicate { place: key_place, key: key.text, first });
            }
            let (event, place) = self.next()?;
            let entry = Entry { key: key.text, key_place, node: self.node(event, place)? };
            if is_merge {
                merges = Some(entry);
            } else {
                entries.push(entry);
            }
        }
        if let Some(entry) = merges {
            merge(&mut entries, entry.node)?;
        }
        Ok(entries)
    }
}

/// Adds what is not there yet: a key of the mapping itself wins, then the earlier of the merged mappings.
fn merge(entries: &mut Vec<Entry>, source: Node) -> Result<(), ConfigError> {
    match source.value {
        Value::Mapping(merged) => {
            for entry in merged {
                if find(entries, &entry.key).is_none() {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Value::Sequence(sources) => sources.into_iter().try_for_each(|source| merge(entries, source)),
        Value::Scalar(_) => Err(syntax(source.place, "`<<` merges a mapping or a list of mappings")),
    }
}

fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}

/// Whether a tag makes a text of what may look like something else: `!!str` or `!`. Of the other standard tags the
/// reader of a key finds out for itself what they say; any more are refused.
fn makes_text(tag: Option<&Tag>, place: &Place) -> Result<bool, ConfigError> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.original() == "!" => Ok(true),
        Some(tag) if tag.is_yaml_core_schema() => Ok(tag.is_yaml_core_schema_tag("str")),
        Some(_) => Err(syntax(
            place.clone(),
            "a tag that has no meaning here; a text that begins with `!` needs quotes",
        )),
    }
}

fn syntax(place: Place, reason: &str) -> ConfigError {
    ConfigError::Syntax { place, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
