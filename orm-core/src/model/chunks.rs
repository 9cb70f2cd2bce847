//! A vector that grows by chunks: its elements never move, and at most one chunk is not full.

/// How many elements a chunk has.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 9;

/// A growing list for arenas. A vector would double: half of a large arena could be unused, and
/// every growth would copy all objects.
#[derive(Debug)]
pub(crate) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn split(at: u32) -> (usize, usize) {
    (at as usize >> CHUNK_BITS, at as usize & (CHUNK - 1))
}

impl<T> Chunks<T> {
    pub(crate) fn len(&self) -> u32 {
        self.0.last().map_or(0, |last| ((self.0.len() - 1) * CHUNK + last.len()) as u32)
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        let (chunk, at) = split(at);
        self.0.get(chunk)?.get(at)
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let (chunk, at) = split(at);
        self.0.get_mut(chunk)?.get_mut(at)
    }

    /// Two elements at once; `None` if they are the same, or not there.
    pub(crate) fn get_two_mut(&mut self, a: u32, b: u32) -> Option<(&mut T, &mut T)> {
        let ((chunk_a, at_a), (chunk_b, at_b)) = (split(a), split(b));
        if chunk_a == chunk_b {
            let [a, b] = self.0.get_mut(chunk_a)?.get_disjoint_mut([at_a, at_b]).ok()?;
            return Some((a, b));
        }
        let [a, b] = self.0.get_disjoint_mut([chunk_a, chunk_b]).ok()?;
        Some((a.get_mut(at_a)?, b.get_mut(at_b)?))
    }

    pub(crate) fn push(&mut self, element: T) {
        if self.0.last().is_none_or(|last| last.len() == CHUNK) {
            // The first chunk grows as a vector does: most arenas hold few objects.
            let capacity = if self.0.is_empty() { 0 } else { CHUNK };
            self.0.push(Vec::with_capacity(capacity));
        }
        if let Some(last) = self.0.last_mut() {
            last.push(element);
        }
    }
}
