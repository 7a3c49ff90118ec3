//! One certificate, kept good: when it is time for a new one, what the authority wants to see, and what happens when it gives none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apus_http_client::{HttpClient, Options, Proxies};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::directory::{Directory, DirectoryError, KeptAccount};
use crate::transport::Transport;
use crate::{BoxError, certificate};

/// How often the clock is looked at: a machine may sleep for days, and a month is long for a timer.
const LOOK: Duration = Duration::from_hours(1);

/// The pause after a first failure; each one doubles it. Let's Encrypt takes five failures an hour.
const FIRST_PAUSE: Duration = Duration::from_mins(2);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_hours(12);

/// How long an authority may look for what proves a host, and then make a certificate.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_mins(2));

/// Which certificate, and from whom.
#[derive(Debug, Clone)]
pub struct AcmeOptions {
    /// The URL of the authority's directory (RFC 8555 section 7.1.1).
    pub authority: String,
    /// Whom the authority may write to.
    pub email: Option<String>,
    /// The names that the certificate is for, at least one. The authority must find this registry there, on port 443.
    pub hosts: Vec<String>,
    /// Where certificate, key and account are kept. Nobody else may write there, no other process either.
    pub directory: PathBuf,
}

/// Who speaks TLS where the authority looks.
pub trait Challenges: Send + Sync + 'static {
    /// Shows this certificate to who offers the protocol `acme-tls/1` and asks for this host (RFC 8737).
    fn show(
        &self,
        host: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), BoxError>;

    /// Shows none of them any more.
    fn show_none(&self);

    /// A new certificate is in the file. It may block.
    fn renewed(&self, file: &Path);
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// A file.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The HTTP stack cannot be set up.
    #[error("the authority cannot be asked")]
    Client(#[source] apus_http_client::Error),
    /// A certificate could not be made here.
    #[error("no certificate can be made for the names in http.tls.letsencrypt.hosts")]
    Made(#[from] rcgen::Error),
    /// The authority could not be asked, or said no.
    #[error(
        "the authority at {authority} gives no certificate; it must be reached, and must reach this registry by its names on port 443"
    )]
    Authority {
        /// Its directory.
        authority: String,
        /// What it said.
        source: instant_acme::Error,
    },
    /// It does not know the one way by which a host is proven here.
    #[error("the authority has no challenge of the kind tls-alpn-01 for {host}")]
    NoChallenge {
        /// Which host.
        host: String,
    },
    /// What proves a host cannot be shown.
    #[error("the challenge for {host} cannot be shown")]
    Shown {
        /// Which host.
        host: String,
        /// Why not.
        source: BoxError,
    },
    /// The process is ending.
    #[error("the process is ending")]
    Ending,
}

/// Keeps one certificate good.
#[derive(Debug)]
pub struct Acme {
    options: AcmeOptions,
    directory: Directory,
}

impl Acme {
    /// Makes the directory, and a certificate that proves nothing where there is none yet. It blocks.
    ///
    /// # Errors
    /// When the directory cannot be used, or a host can stand in no certificate.
    pub fn open(options: AcmeOptions) -> Result<Self, AcmeError> {
        let directory = Directory::open(options.directory.clone())?;
        if directory.read_certificate()?.is_none() {
            directory.keep_certificate(&certificate::self_signed(&options.hosts)?)?;
        }
        Ok(Self { options, directory })
    }

    /// The file with certificate and key, in PEM. It is replaced whole.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.certificate()
    }

    /// Renews the certificate whenever it is time. Never ends; dropping it changes nothing that is kept.
    pub async fn keep(self, shown: impl Challenges) {
        let shown = Arc::new(shown);
        let mut pause = FIRST_PAUSE;
        loop {
            let left = match self.left().await {
                Ok(left) if left.is_zero() => self.renew(&shown).await,
                left => left,
            };
            match left {
                Ok(left) => {
                    pause = FIRST_PAUSE;
                    tokio::time::sleep(left.clamp(FIRST_PAUSE, LOOK)).await;
                }
                Err(error) => {
                    let hosts = self.options.hosts.join(", ");
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        hosts,
                        again_in = ?pause,
                        "there is no new certificate: the old one stays in force"
                    );
                    tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// How long the certificate may stay.
    async fn left(&self) -> Result<Duration, AcmeError> {
        let (directory, hosts) = (self.directory.clone(), self.options.hosts.clone());
        blocking(move || {
            let pem = directory.read_certificate()?.unwrap_or_default();
            Ok(certificate::is_good_for(&pem, &hosts, SystemTime::now()))
        })
        .await
    }

    /// Fetches a new certificate, and answers how long it may stay.
    async fn renew(&self, shown: &Arc<impl Challenges>) -> Result<Duration, AcmeError> {
        let account = self.account().await?;
        let pem = self.order(&account, &**shown).await;
        shown.show_none();
        let (pem, directory, shown) = (pem?, self.directory.clone(), Arc::clone(shown));
        blocking(move || {
            directory.keep_certificate(&pem)?;
            shown.renewed(&directory.certificate());
            Ok(())
        })
        .await?;
        let left = self.left().await?;
        tracing::info!(hosts = self.options.hosts.join(", "), until_next = ?left, "there is a new certificate");
        Ok(left)
    }

    async fn account(&self) -> Result<Account, AcmeError> {
        let http = HttpClient::new(Options {
            name: "acme",
            max_requests: 4,
            proxies: Proxies::from_env(),
            user_agent: format!("apus/{}", env!("CARGO_PKG_VERSION")),
            ..Options::default()
        });
        let builder = Account::builder_with_http(Box::new(Transport(http.map_err(AcmeError::Client)?)));
        let (directory, authority) = (self.directory.clone(), self.options.authority.clone());
        if let Some(kept) = blocking(move || Ok(directory.read_account(&authority)?)).await? {
            return builder.from_credentials(kept.credentials).await.map_err(|error| self.failed(error));
        }
        let contact: Vec<_> = self.options.email.iter().map(|email| format!("mailto:{email}")).collect();
        let contact: Vec<_> = contact.iter().map(String::as_str).collect();
        let new =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let authority = self.options.authority.clone();
        let (account, credentials) =
            builder.create(&new, authority.clone(), None).await.map_err(|error| self.failed(error))?;
        let directory = self.directory.clone();
        blocking(move || Ok(directory.keep_account(&KeptAccount { authority, credentials })?)).await?;
        Ok(account)
    }

    /// Orders a certificate. Answers its key and the certificates behind one another, in PEM.
    async fn order(&self, account: &Account, shown: &impl Challenges) -> Result<String, AcmeError> {
        let failed = |error| self.failed(error);
        let identifiers: Vec<_> = self.options.hosts.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(failed)?;
        self.prove(&mut order, shown).await?;
        if order.poll_ready(&PATIENCE).await.map_err(failed)? != OrderStatus::Ready {
            return Err(failed(instant_acme::Error::Str("the order is neither ready nor refused")));
        }
        let key = order.finalize().await.map_err(failed)?;
        let chain = order.poll_certificate(&PATIENCE).await.map_err(failed)?;
        Ok(key + &chain)
    }

    /// Shows what proves each host of an order, and asks the authority to look.
    async fn prove(&self, order: &mut Order, shown: &impl Challenges) -> Result<(), AcmeError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(|error| self.failed(error))?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let host = authorization.identifier().to_string();
            let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
                return Err(AcmeError::NoChallenge { host });
            };
            let mut digest = [0; 32];
            digest.copy_from_slice(challenge.key_authorization().digest().as_ref());
            let (proof, key) = certificate::of_challenge(&host, &digest)?;
            shown.show(&host, proof, key).map_err(|source| AcmeError::Shown { host, source })?;
            challenge.set_ready().await.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    fn failed(&self, source: instant_acme::Error) -> AcmeError {
        AcmeError::Authority { authority: self.options.authority.clone(), source }
    }
}

/// Does what blocks on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AcmeError> + Send + 'static,
) -> Result<T, AcmeError> {
    // The thread fails with the runtime only.
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(AcmeError::Ending))
}
