//! The lines of a password file, and the hashes that may stand in them: bcrypt and argon2. Nothing here reads files or waits.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};

/// bcrypt's cost doubles the time with each step: this one takes some ten seconds.
const MAX_BCRYPT_COST: u32 = 17;

/// What one argon2 hash may take, in KiB: as often as passwords are hashed at once.
const MAX_ARGON2_MEMORY: u32 = 256 << 10;

/// How often an argon2 hash may go over its memory.
const MAX_ARGON2_PASSES: u32 = 64;

/// Users and what their passwords hash to.
#[derive(Debug, Default)]
pub(super) struct Entries {
    hashes: Vec<Hash>,
    users: HashMap<String, usize>,
    decoys: RandomState,
}

enum Hash {
    Bcrypt(String),
    Argon2(Box<PasswordHash>),
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Bcrypt(_) => "Bcrypt",
            Self::Argon2(_) => "Argon2",
        })
    }
}

impl Entries {
    /// Reads lines of a name, a colon and a hash. Empty lines and those that begin with `#` say nothing. Of a user who stands
    /// there twice the last line counts, as in registry:2. The second part are the lines that were passed over.
    pub(super) fn parse(content: &[u8]) -> (Self, Vec<String>) {
        let (mut entries, mut complaints) = (Self::default(), Vec::new());
        for (line, number) in content.split(|byte| *byte == b'\n').zip(1..) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match parse_line(line) {
                Ok((user, hash)) => {
                    let place = entries.hashes.len();
                    entries.hashes.push(hash);
                    if entries.users.insert(user, place).is_some() {
                        complaints.push(format!(
                            "line {number}: this user has a line before, which is passed over"
                        ));
                    }
                }
                Err(reason) => complaints.push(format!("line {number} is passed over: {reason}")),
            }
        }
        (entries, complaints)
    }

    /// Whether there is such a user.
    pub(super) fn knows(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Whether this is the user's password. It takes as long where there is no such user.
    pub(super) fn verify(&self, user: &str, password: &[u8]) -> bool {
        let Some((hash, is_theirs)) = self.hash_for(user) else { return false };
        let is_right = hash.verify(password);
        is_theirs && is_right
    }

    /// The hash to measure a password by, and whether it is the user's own. For a user who is not there it is another's, chosen
    /// by the name, so that the time tells nothing. `None` only where there is no user at all.
    fn hash_for(&self, user: &str) -> Option<(&Hash, bool)> {
        if let Some(place) = self.users.get(user) {
            return self.hashes.get(*place).map(|hash| (hash, true));
        }
        let number = usize::try_from(self.decoys.hash_one(user) >> 33).unwrap_or_default();
        let decoy = number.checked_rem(self.hashes.len())?;
        self.hashes.get(decoy).map(|hash| (hash, false))
    }
}

impl Hash {
    fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Argon2(hash) => Argon2::default().verify_password(password, hash.as_ref()).is_ok(),
        }
    }
}

/// What is wrong with a line is told without a word of it: a line may be a password by mistake.
fn parse_line(line: &[u8]) -> Result<(String, Hash), &'static str> {
    let line = str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    let (user, hash) = line.split_once(':').ok_or("it is no name, colon and hash")?;
    if user.is_empty() || user.contains(char::is_control) {
        return Err("it has no user name");
    }
    Ok((user.to_owned(), parse_hash(hash)?))
}

fn parse_hash(hash: &str) -> Result<Hash, &'static str> {
    const BCRYPT: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
    if BCRYPT.iter().any(|prefix| hash.starts_with(prefix)) {
        let parts: bcrypt::HashParts = hash.parse().map_err(|_| "its bcrypt hash is damaged")?;
        if !(4..=MAX_BCRYPT_COST).contains(&parts.get_cost()) {
            return Err("the cost of its bcrypt hash is not 4 to 17");
        }
        return Ok(Hash::Bcrypt(hash.to_owned()));
    }
    if hash.starts_with("$argon2") {
        const DAMAGED: &str = "its argon2 hash is damaged";
        let parsed = PasswordHash::new(hash).map_err(|_| DAMAGED)?;
        argon2::Algorithm::try_from(parsed.algorithm.as_str()).map_err(|_| DAMAGED)?;
        let params = Params::try_from(&parsed).map_err(|_| DAMAGED)?;
        if parsed.salt.is_none() || parsed.hash.is_none() {
            return Err(DAMAGED);
        }
        if params.m_cost() > MAX_ARGON2_MEMORY || params.t_cost() > MAX_ARGON2_PASSES {
            return Err("its argon2 hash takes more than 256 MiB or 64 passes");
        }
        return Ok(Hash::Argon2(Box::new(parsed)));
    }
    Err("its hash is neither bcrypt nor argon2; make one with: htpasswd -nB USER")
}

#[cfg(test)]
mod tests;
