//! The application that answers now: another one can take its place while connections are open.

use std::sync::{Arc, PoisonError, RwLock};

use crate::App;

/// The application that answers now. Each request is answered to its end by the one that was there when it came. Clones are the
/// same.
#[derive(Debug, Clone)]
pub struct CurrentApp(Arc<RwLock<App>>);

impl CurrentApp {
    /// The one that is there now.
    #[must_use]
    pub fn get(&self) -> App {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another one takes its place.
    pub fn replace(&self, app: App) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = app;
    }
}

impl From<App> for CurrentApp {
    fn from(app: App) -> Self {
        Self(Arc::new(RwLock::new(app)))
    }
}
