//! Deleting objects, each with its segments.

use apus_storage::{Freshness, ObjectName, Outcome, Result};
use futures_util::{StreamExt, stream};

use super::record::stage_of;
use super::{Backend, outcome_of};
use crate::SwiftError;
use crate::client::{Container, Doomed, ObjectKind, free};

impl Backend {
    /// Each is looked at first: what belongs to it depends on its kind.
    pub(super) async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        let looks = names.iter().cloned().map(|name| async move { self.doomed(&name).await });
        let found: Vec<_> = stream::iter(looks).buffered(Container::DELETES_AT_ONCE).collect().await;
        let (mut doomed, mut records, mut outcomes) =
            (Vec::new(), Vec::new(), Vec::with_capacity(names.len()));
        for found in found {
            outcomes.push(match found {
                Ok(Some(found)) => {
                    let stage =
                        stage_of(&found.metadata).filter(|_| found.metadata.kind == ObjectKind::Static);
                    records.push(stage.map(|stage| self.names.record(&stage)));
                    doomed.push(found);
                    None
                }
                Ok(None) => Some(Ok(Outcome::Absent)),
                Err(error) => Some(Err(error)),
            });
        }
        let deletions = self.container.delete_found(doomed, &self.names.own()).await;
        let mut unneeded = Vec::new();
        let mut deletions = deletions.into_iter().zip(records);
        let outcomes = names.iter().zip(outcomes).map(|(name, outcome)| {
            if let Some(outcome) = outcome {
                return outcome;
            }
            let Some((deletion, record)) = deletions.next() else { return Ok(Outcome::Absent) };
            let deletion = deletion.map_err(|error: SwiftError| error.into_storage("delete", name))?;
            unneeded.extend(record);
            Ok(outcome_of(deletion))
        });
        let outcomes = outcomes.collect();
        free(&self.container, unneeded).await;
        outcomes
    }

    async fn doomed(&self, name: &ObjectName) -> Result<Option<Doomed>> {
        let object = self.place("delete", name).await?;
        let metadata = self.container.look(&object, Freshness::Newest).await;
        let metadata = metadata.map_err(|error| error.into_storage("delete", name))?;
        Ok(metadata.map(|metadata| Doomed { name: object, metadata }))
    }
}
