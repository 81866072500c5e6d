//! Runs of several parts: what they left behind, added up.

use crate::run::Done;

impl Done {
    /// Adds another part of the same run: at the same target, or at one whose facts do not matter to what it brings.
    pub fn absorb(&mut self, more: Self) {
        let Self { records, planned, lost, interrupted, leftovers, recorded, on_disk, facts: _ } =
            more;
        self.records.extend(records);
        self.planned += planned;
        self.lost |= lost;
        self.interrupted |= interrupted;
        self.leftovers.extend(leftovers);
        self.recorded.extend(recorded);
        self.on_disk &= on_disk;
    }
}
