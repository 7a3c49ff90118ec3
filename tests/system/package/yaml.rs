//! YAML as Kubernetes reads it, into JSON: the documents of a file, without anchors and tags.

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// The documents of a file. Fails the test where it cannot be read.
pub(super) fn documents(text: &str) -> Vec<Value> {
    let mut reader = Reader(Parser::new_from_str(text));
    let mut documents = Vec::new();
    loop {
        match reader.next() {
            Event::StreamEnd => return documents,
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => documents.push(reader.value(&event)),
        }
    }
}

struct Reader<'text>(Parser<'text, StrInput<'text>>);

impl<'text> Reader<'text> {
    fn next(&mut self) -> Event<'text> {
        self.0.next().unwrap().unwrap().0
    }

    /// The value that begins with `event`.
    fn value(&mut self, event: &Event<'_>) -> Value {
        match event {
            Event::Scalar(text, style, ..) => scalar(text, *style),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next() {
                        Event::SequenceEnd => return Value::Array(items),
                        event => items.push(self.value(&event)),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut members = Map::new();
                loop {
                    match self.next() {
                        Event::MappingEnd => return Value::Object(members),
                        Event::Scalar(key, ..) => {
                            let event = self.next();
                            let before = members.insert(key.clone().into_owned(), self.value(&event));
                            assert!(before.is_none(), "{key} is there twice");
                        }
                        event => panic!("a key that is {event:?}"),
                    }
                }
            }
            event => panic!("{event:?}"),
        }
    }
}

/// A plain scalar is a number, a truth value or null where JSON has it so; else text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    match style {
        ScalarStyle::Plain => match serde_json::from_str(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
            _ => text.into(),
        },
        _ => text.into(),
    }
}
