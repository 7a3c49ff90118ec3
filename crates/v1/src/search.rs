//! Searching.

use http::StatusCode;
use serde_json::{Value, json};

use crate::V1;
use crate::call::Head;
use crate::replies::{self, Failure, Outcome};

/// Repositories that one answer names; `n` may ask for fewer.
const MOST: usize = 1000;

impl V1 {
    pub(crate) async fn search(&self, head: &Head) -> Outcome {
        if !self.options().search {
            return Err(Failure::not_found("Not found"));
        }
        let query = head.parameter("q").unwrap_or_default();
        let most =
            head.parameter("n").and_then(|text| text.parse().ok()).map_or(MOST, |n: usize| n.clamp(1, MOST));
        let found = self.registry().search(&query, most, false).await?;
        let here = found.iter().map(|found| {
            let name = found.repository.to_string();
            (name.clone(), json!({ "name": name, "description": null }))
        });
        let mut results: Vec<(String, Value)> = here.collect();
        // What the source says of a name stands.
        for (name, found) in self.searched_elsewhere(head).await {
            results.retain(|(known, _)| *known != name);
            results.push((name, found));
        }
        results.truncate(most);
        let results: Vec<Value> = results.into_iter().map(|(_, found)| found).collect();
        Ok(replies::json(
            StatusCode::OK,
            &json!({ "num_results": results.len(), "query": query, "results": results }),
        ))
    }
}
