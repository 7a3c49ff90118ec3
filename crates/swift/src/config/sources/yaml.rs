//! YAML into the little that a `clouds.yaml` is: texts in mappings. `granit-parser` does the parsing; it keeps the exact
//! text of every scalar, so that a password `007` stays one, and its line. Aliases and merges (`<<`) are resolved here.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};

/// How many values a file may have, those that aliases repeat included: stops alias bombs.
const MOST_NODES: usize = 10_000;
/// How deep collections may nest: the loader recurses.
const DEEPEST: usize = 32;

/// A value. It has no `Debug`: it may be a password.
#[derive(Clone)]
pub(super) enum Node {
    /// A scalar, and its line from 1.
    Text { text: String, line: usize },
    /// In the order of the file; of a key that is there twice, the last.
    Mapping(Vec<(String, Node)>),
    /// A list, or null.
    Other,
}

impl Node {
    /// Of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Node)] {
        match self {
            Self::Mapping(entries) => entries,
            Self::Text { .. } | Self::Other => &[],
        }
    }

    /// As [`entries`](Self::entries).
    pub(super) fn into_entries(self) -> Vec<(String, Self)> {
        match self {
            Self::Mapping(entries) => entries,
            Self::Text { .. } | Self::Other => Vec::new(),
        }
    }

    fn count(&self) -> usize {
        1 + self.entries().iter().map(|(_, node)| node.count()).sum::<usize>()
    }
}

/// Why a text is not taken. The text itself is never in here.
pub(super) struct Fault {
    /// From 1.
    pub(super) line: usize,
    pub(super) reason: String,
}

/// The first document of a text.
pub(super) fn load(text: &str) -> Result<Node, Fault> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut loader = Loader { parser, anchors: HashMap::new(), left: MOST_NODES };
    loop {
        match loader.next()? {
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(Node::Other),
            (event, line) => return loader.node(event, line),
        }
    }
}

struct Loader<'text> {
    parser: Parser<'text, StrInput<'text>>,
    /// Complete nodes only, so that nothing can contain itself.
    anchors: HashMap<usize, Node>,
    left: usize,
}

impl<'text> Loader<'text> {
    fn next(&mut self) -> Result<(Event<'text>, usize), Fault> {
        match self.parser.next() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err(fault(error.marker().line(), format!("is no YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'text>, line: usize) -> Result<Node, Fault> {
        self.spend(1, line)?;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let null =
                    style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let node = if null { Node::Other } else { Node::Text { text: text.into_owned(), line } };
                (node, anchor)
            }
            Event::MappingStart(_, anchor, _) => (self.mapping()?, anchor),
            Event::SequenceStart(_, anchor, _) => (self.sequence()?, anchor),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| fault(line, "has an alias inside of what it stands for"))?;
                self.spend(node.count(), line)?;
                return Ok(node);
            }
            _ => return Err(fault(line, "is no YAML: a value is expected")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn spend(&mut self, nodes: usize, line: usize) -> Result<(), Fault> {
        let left = self.left.checked_sub(nodes);
        self.left = left.ok_or_else(|| fault(line, format!("holds more than {MOST_NODES} values")))?;
        Ok(())
    }

    fn mapping(&mut self) -> Result<Node, Fault> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let Node::Text { text: key, line } = self.node(event, line)? else {
                return Err(fault(line, "has a key that is no text"));
            };
            let (event, place) = self.next()?;
            let node = self.node(event, place)?;
            if key == "<<" {
                let Node::Mapping(source) = node else {
                    return Err(fault(line, "merges (<<) what is no mapping"));
                };
                merged = source;
            } else {
                entries.retain(|(known, _)| *known != key);
                entries.push((key, node));
            }
        }
        // What the mapping says itself counts.
        merged.retain(|(key, _)| entries.iter().all(|(known, _)| known != key));
        entries.append(&mut merged);
        Ok(Node::Mapping(entries))
    }

    fn sequence(&mut self) -> Result<Node, Fault> {
        loop {
            let (event, line) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Node::Other);
            }
            self.node(event, line)?;
        }
    }
}

fn fault(line: usize, reason: impl Into<String>) -> Fault {
    Fault { line, reason: reason.into() }
}

#[cfg(test)]
mod tests;
