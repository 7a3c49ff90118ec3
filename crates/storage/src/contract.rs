//! The contract. It is small on purpose: what a backend cannot promise in full is not in it.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::{
    Body, ByteRange, ByteStream, Checkpoint, Freshness, ListPage, ListRequest, ObjectInfo, ObjectName,
    ObjectReader, Outcome, Publication, Remnants, Result, StageEntry, StageId, StagePosition, StageRevision,
    StageState, UrlMethod, WriteMode,
};

/// A store of objects.
///
/// What holds for every operation:
///
/// - **Not found is an answer** (`None`, [`Outcome::Absent`]). A backend that could not find out answers with an error.
/// - **Whole or not at all.** An object that can be read is complete. A write that fails, is dropped half way, or dies with
///   its process leaves what was there before. So does a body that ends in an error.
/// - **Durable.** When a write answers, the content survives the death of this process, and of the machine where the
///   backend is not memory.
/// - **Cancellation.** Dropping the future of any operation is safe; a write may or may not have happened then. What a
///   dropped append had already sent is freed, or found by upkeep.
/// - **Bounded memory.** No operation holds more of a body than a constant, whatever its length.
/// - **Retries.** Repeating any operation with the same arguments is safe. Backends retry by themselves what can be.
///
/// A backend proves that it keeps this contract by the suite in the module `conformance` (feature
/// `conformance`).
#[async_trait]
pub trait Storage: std::fmt::Debug + Send + Sync {
    /// The backend's name for logs and metrics: `memory`, `filesystem`, `swift`.
    fn backend(&self) -> &'static str;

    /// What is known of an object; `None` when there is none of that name. A name that is only a prefix of others is none.
    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>>;

    /// Opens an object for reading; `None` when there is none.
    ///
    /// A range that begins at or past the end is no error: the reader's range is empty, and its info tells the size.
    /// An object that is replaced or deleted while it is read gives its old bytes to the end, or an error; never a mixture.
    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>>;

    /// Writes an object whole under its final name. Atomic: readers see the old content, or none, until they see the new.
    ///
    /// # Errors
    /// [`ErrorKind::Body`](crate::ErrorKind::Body) when the body failed or had another length; nothing changed.
    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication>;

    /// Makes an object count as written now: [`ObjectInfo::modified`] moves, the content does not change.
    async fn touch(&self, name: &ObjectName) -> Result<Outcome>;

    /// Deletes objects, each with all that only it used. The answers come in the order of the names.
    ///
    /// Idempotent: deleting what is not there is [`Outcome::Absent`]. Names are exact: nothing under a name is deleted with
    /// it. One failure does not keep the others from being tried.
    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>>;

    /// One page of the names under a prefix, in the order of their bytes.
    ///
    /// Nothing under the prefix is an empty page, not an error. A listing may lag behind the objects (Swift's containers
    /// are eventually consistent): what must be known for certain is asked of the object. Objects whose names are no
    /// [`ObjectName`] are left out.
    async fn list(&self, request: &ListRequest) -> Result<ListPage>;

    /// A URL under which anyone may fetch the object for `lifetime`; `None` when this backend has no such thing, or it is
    /// not known to work. That the object exists is not checked.
    async fn temporary_url(
        &self,
        _name: &ObjectName,
        _method: UrlMethod,
        _lifetime: Duration,
    ) -> Result<Option<String>> {
        Ok(None)
    }

    /// Where a stage stands; `None` when there is none.
    ///
    /// With `known`, the answer for that revision may come from this process's memory, without asking the backend; a stage
    /// that stands at another revision is asked for. Without, the answer is the newest there is.
    async fn stage_state(&self, stage: &StageId, known: Option<&StageRevision>)
    -> Result<Option<StageState>>;

    /// Appends a stream to a stage and commits it together with a checkpoint, in one step. At [`StagePosition::Start`] it
    /// creates the stage. On any error the stage stands where it stood.
    ///
    /// Two appends that begin at the same position at once: at most one keeps its bytes. The other fails, or its revision
    /// is no longer the stage's, which its next call is told.
    ///
    /// # Errors
    /// [`ErrorKind::StageMoved`](crate::ErrorKind::StageMoved) when the stage does not stand at `position`;
    /// [`ErrorKind::Body`](crate::ErrorKind::Body) when the stream failed.
    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState>;

    /// The least that an append should bring, in bytes; `None` when that is all the same. Appends of fewer bytes are taken,
    /// but a stage made of many of them may meet a limit of the store before it meets the largest object's size.
    fn least_append(&self) -> Option<u64> {
        None
    }

    /// All bytes of a stage, from the first.
    ///
    /// # Errors
    /// [`ErrorKind::StageMoved`](crate::ErrorKind::StageMoved) when it does not stand at `revision`.
    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream>;

    /// Publishes what a stage holds under its final name, in one atomic step, and ends the stage.
    ///
    /// With [`Publication::Existing`] (only for [`WriteMode::IfAbsent`]) the stage **stays**: the caller looks at what is
    /// there, and either drops the stage or publishes again with [`WriteMode::Replace`]. A repeated publish whose first
    /// answer was lost finds its own object and answers [`Publication::Published`] as long as the stage can still be read,
    /// else [`ErrorKind::StageMoved`](crate::ErrorKind::StageMoved). The published object never depends on anything that
    /// [`Storage::stage_drop`] would free.
    ///
    /// # Errors
    /// [`ErrorKind::StageMoved`](crate::ErrorKind::StageMoved) when the stage does not stand at `revision`.
    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication>;

    /// Drops a stage and frees what it held, except what a published object uses. Idempotent.
    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome>;

    /// When a stage was appended to last, by the newest that the backend knows; `None` when there is none. An append that is
    /// under way counts as far as its bytes are seen to arrive.
    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>>;

    /// One page of the stages that are open, in the order of their identifiers, after `after`. Like any listing it may lag.
    /// A page of fewer than `limit` entries is the last.
    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>>;

    /// Frees what stages have left that [`Storage::stage_list`] does not show, because the process died before it could make
    /// them, or while it wrote a large object: what nothing needs, and what was written `min_age` ago or longer; with zero
    /// nothing is too young. With `dry_run` it answers the same, and frees nothing.
    ///
    /// **Only while nobody writes**: what is being written looks the same. Idempotent: what a call that was cut off, or has
    /// failed, did not come to is freed by the next. What may be needed is kept, and told as
    /// [`Remnants::doubt`]. Nothing for a backend that leaves nothing of this kind. Memory: some 200 bytes for each stage
    /// that has left something.
    ///
    /// # Errors
    /// It could not be found out what is needed; nothing was freed. What could not be freed is in [`Remnants::failures`].
    async fn free_remnants(&self, _min_age: Duration, _dry_run: bool) -> Result<Remnants> {
        Ok(Remnants::default())
    }
}
