//! placeholder
/// placeholder
#[derive(Debug)]
pub struct FilesystemStorage;
