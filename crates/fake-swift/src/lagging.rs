//! How a test makes the store show what it was: listings that are frozen, copies that disagree, ghosts.

use crate::replicas::Replica;
use crate::server::FakeSwift;

/// Listings that are behind. What [`crate::Options::listing_lag`] says of them goes for these as well.
impl FakeSwift {
    /// Listings go on showing what they show now, until [`FakeSwift::thaw_listings`].
    pub fn freeze_listings(&self) {
        self.split_listings(&[Replica::Stale]);
    }

    /// Listings show the present again, or what [`crate::Options::listing_lag`] makes of it.
    pub fn thaw_listings(&self) {
        self.join_listings();
    }

    /// From now on there are two copies of each listing, one of which sees no more changes. They answer by `turns`,
    /// over and over again. A turn is taken by each listing, each HEAD of a container or the account, each look at
    /// what a dynamic large object consists of, each delete of a container (is it empty?). Called again, it begins
    /// with the first turn, and the stale copy stays as old as it is.
    ///
    /// ```
    /// # use apus_fake_swift::{FakeSwift, Replica};
    /// # fn show(fake: &FakeSwift) {
    /// fake.split_listings(&[Replica::Stale, Replica::Fresh]);
    /// # }
    /// ```
    pub fn split_listings(&self, turns: &[Replica]) {
        let state = &mut *self.shared.state();
        state.listings.split(turns, &mut state.clock);
    }

    /// Ends what [`FakeSwift::split_listings`] began.
    pub fn join_listings(&self) {
        self.shared.state().listings.join();
    }
}

/// Objects that are behind. What [`crate::Options::read_lag`] says of them goes for these as well.
impl FakeSwift {
    /// From now on there are two copies of each object, one of which sees no more changes. They answer by `turns`,
    /// over and over again, each GET and HEAD of an object that does not have `X-Newest: true`. With that the truth
    /// is told, and no turn taken. Called again, it begins with the first turn, and the stale copy stays as old as it
    /// is.
    ///
    /// ```
    /// # use apus_fake_swift::{FakeSwift, Replica};
    /// # fn show(fake: &FakeSwift) {
    /// fake.split_reads(&[Replica::Stale]);
    /// # }
    /// ```
    pub fn split_reads(&self, turns: &[Replica]) {
        let state = &mut *self.shared.state();
        state.reads.split(turns, &mut state.clock);
    }

    /// Ends what [`FakeSwift::split_reads`] began.
    pub fn join_reads(&self) {
        self.shared.state().reads.join();
    }
}

/// Objects that are gone, but listed.
impl FakeSwift {
    /// Makes the listing of `container` show an object that is not there. If it is there, it goes, and the listing
    /// keeps what it has of it. A PUT of the name makes a true object of it, a DELETE is answered 404 and ends it.
    /// Does nothing if there is no such container.
    pub fn add_ghost(&self, container: &str, name: &str) {
        self.shared.state().make_ghost(container, name);
    }
}
