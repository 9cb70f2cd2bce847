//! Objects that came together: what a lazy load of one of them loads along.

use super::arena::{NO_BATCH, ObjectId, State};
use super::store::Store;

/// The objects of one model that a query or a flush brought in together.
#[derive(Debug)]
pub(super) struct Batch {
    arena: u32,
    slots: Vec<u32>,
    /// How many of them have met no later batch.
    live: usize,
}

impl Store {
    /// The objects of one arena that came together become each other's peers.
    pub(crate) fn make_peers(&mut self, arena: u32, slots: Vec<u32>) {
        if slots.len() < 2 {
            return;
        }
        let batch = self.free_batches.pop().unwrap_or_else(|| {
            self.batches.push(Batch { arena, slots: Vec::new(), live: 0 });
            self.batches.len() as u32 - 1
        });
        for (position, slot) in slots.iter().enumerate() {
            let object = ObjectId { arena, slot: *slot };
            self.leave_batch(object);
            let header = self.header_mut(object);
            header.batch = batch;
            header.position = position as u32;
        }
        let live = slots.len();
        self.batches[batch as usize] = Batch { arena, slots, live };
    }

    pub(super) fn leave_batch(&mut self, object: ObjectId) {
        let batch = std::mem::replace(&mut self.header_mut(object).batch, NO_BATCH);
        if let Some(left) = self.batches.get_mut(batch as usize) {
            left.live = left.live.saturating_sub(1);
            if left.live == 0 && !left.slots.is_empty() {
                left.slots = Vec::new();
                self.free_batches.push(batch);
            }
        }
    }

    /// The object and at most `limit - 1` of its peers for which `wanted` holds: those after it
    /// in the order of their batch first, then those before it.
    pub(crate) fn peers(
        &self,
        object: ObjectId,
        limit: usize,
        mut wanted: impl FnMut(ObjectId) -> bool,
    ) -> Vec<ObjectId> {
        let header = self.header(object);
        let Some(batch) = self.batches.get(header.batch as usize) else {
            return vec![object];
        };
        let position = header.position as usize;
        let (before, after) = batch.slots.split_at(position.min(batch.slots.len()));
        let others = after.iter().skip(1).chain(before.iter().rev());
        let mut peers = vec![object];
        for slot in others {
            if peers.len() >= limit {
                break;
            }
            let peer = ObjectId { arena: batch.arena, slot: *slot };
            let header_of_peer = self.header(peer);
            if header_of_peer.batch == header.batch
                && header_of_peer.state == State::Persistent
                && wanted(peer)
            {
                peers.push(peer);
            }
        }
        peers
    }
}
