//! What the service manager hears (sd_notify(3)): when the registry is ready, when it reads its configuration again, when it
//! stops. Nothing is said where `NOTIFY_SOCKET` names nobody who listens.

use std::time::Duration;

use sd_notify::NotifyState;

/// What a stop takes beside the requests that may end.
const MARGIN: Duration = Duration::from_secs(15);

/// It listens, with the configuration that holds now. Also the end of [`reloading`].
pub(crate) fn ready(address: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("listening on {address}"))]);
}

/// It reads its configuration again; [`ready`] says that it has done so.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => {
            tracing::warn!(%error, "the service manager cannot be told of the reload: there is no clock");
        }
    }
}

/// It stops, and requests may take so long to end: the manager waits for them, whatever its unit says.
pub(crate) fn stopping(drain_timeout: Duration) {
    let patience = drain_timeout.saturating_add(MARGIN).as_micros();
    let patience = NotifyState::ExtendTimeoutUsec(u32::try_from(patience).unwrap_or(u32::MAX));
    tell(&[NotifyState::Stopping, NotifyState::Status("requests end"), patience]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told how the registry is");
    }
}
