//! The store as a test holds it: two ports that open, close and open again, around data that stay.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::faults::Script;
use crate::log::{Interface, Log};
use crate::options::Options;
use crate::service;
use crate::state::State;

const BACKLOG: u32 = 1024;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) log: Log,
    pub(crate) faults: Script,
    state: Mutex<State>,
    public: SocketAddr,
    internal: SocketAddr,
    transactions: AtomicU64,
}

impl Shared {
    /// The data. The guard is never kept while anything is awaited.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn base_url(&self, interface: Interface) -> String {
        let address = match interface {
            Interface::Public => self.public,
            Interface::Internal => self.internal,
        };
        format!("http://{address}")
    }

    pub(crate) fn storage_url(&self, interface: Interface) -> String {
        let path = self.options.storage_path(&self.options.account());
        format!("{}{path}", self.base_url(interface))
    }

    pub(crate) fn next_transaction(&self) -> String {
        let number = self.transactions.fetch_add(1, Ordering::Relaxed);
        format!("tx{number:021x}-{:010x}", self.state().clock.now().seconds_rounded_up())
    }
}

/// An OpenStack Swift on the loopback interface. It serves until it is dropped or stopped.
#[derive(Debug)]
pub struct FakeSwift {
    pub(crate) shared: Arc<Shared>,
    doors: [Door; 2],
}

impl FakeSwift {
    /// Starts a store of its own on two free ports of 127.0.0.1, on the tokio runtime of the caller.
    ///
    /// # Errors
    ///
    /// When a port cannot be had.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let (public, internal) = (reserve(0)?, reserve(0)?);
        let state = State::new(&options);
        let shared = Arc::new(Shared {
            options,
            log: Log::default(),
            faults: Script::default(),
            state: Mutex::new(state),
            public: public.local_addr()?,
            internal: internal.local_addr()?,
            transactions: AtomicU64::new(1),
        });
        let doors = [
            Door { interface: Interface::Public, address: shared.public, way: Way::Shut(public) },
            Door { interface: Interface::Internal, address: shared.internal, way: Way::Shut(internal) },
        ];
        let mut fake = Self { shared, doors };
        fake.come_back().await?;
        Ok(fake)
    }

    /// Goes away, as a store that is shut down: closes all connections and refuses new ones. Data, log, tokens and
    /// faults stay, and so do the ports. Does nothing to a store that is away.
    ///
    /// # Errors
    ///
    /// When a port cannot be kept.
    pub async fn go_away(&mut self) -> std::io::Result<()> {
        for door in &mut self.doors {
            door.shut().await?;
        }
        Ok(())
    }

    /// Comes back on the same ports. Does nothing to a store that is there.
    ///
    /// # Errors
    ///
    /// When a port cannot be listened at.
    #[expect(clippy::unused_async, reason = "it spawns, and so belongs where a runtime is")]
    pub async fn come_back(&mut self) -> std::io::Result<()> {
        for door in &mut self.doors {
            door.open(&self.shared)?;
        }
        Ok(())
    }

    /// Stops, and waits until the last connection is closed. Dropping the store closes them soon, but does not wait.
    ///
    /// # Errors
    ///
    /// As [`FakeSwift::go_away`].
    pub async fn stop(mut self) -> std::io::Result<()> {
        self.go_away().await
    }
}

/// One of the ports.
#[derive(Debug)]
struct Door {
    interface: Interface,
    address: SocketAddr,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Connections are accepted, until the sender is dropped.
    Open { stop: oneshot::Sender<()>, task: JoinHandle<()> },
    /// The port is bound, so that no one else gets it, but connections are refused.
    Shut(TcpSocket),
    /// Between the two, or after an error.
    Lost,
}

impl Door {
    fn open(&mut self, shared: &Arc<Shared>) -> std::io::Result<()> {
        self.way = match std::mem::replace(&mut self.way, Way::Lost) {
            open @ Way::Open { .. } => open,
            Way::Shut(socket) => self.serve(socket.listen(BACKLOG)?, shared),
            Way::Lost => self.serve(reserve(self.address.port())?.listen(BACKLOG)?, shared),
        };
        Ok(())
    }

    fn serve(&self, listener: TcpListener, shared: &Arc<Shared>) -> Way {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, self.interface, Arc::clone(shared), stopped));
        Way::Open { stop, task }
    }

    async fn shut(&mut self) -> std::io::Result<()> {
        self.way = match std::mem::replace(&mut self.way, Way::Lost) {
            Way::Open { stop, task } => {
                drop(stop);
                // The task only ends; were it to panic, the port is free all the same.
                let _ = task.await;
                Way::Shut(reserve(self.address.port())?)
            }
            Way::Lost => Way::Shut(reserve(self.address.port())?),
            shut @ Way::Shut(_) => shut,
        };
        Ok(())
    }
}

fn reserve(port: u16) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

/// Serves every connection until `stopped`, and then closes them all.
async fn accept(
    listener: TcpListener,
    interface: Interface,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, interface, Arc::clone(&shared)));
                }
                // The client has gone already, or too many files are open; both pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, interface: Interface, shared: Arc<Shared>) {
    let service = service_fn(move |request| service::serve(Arc::clone(&shared), interface, request));
    // How a connection ends is the client's affair, or that of a fault.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .half_close(true)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
