//! Futures that are dropped after a number of polls: what a timeout does to them, without timers.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

/// Polls the future, as it is woken, this many times and drops it; gives its output if it was
/// ready by then.
pub async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    if polls == 0 {
        return None;
    }
    let mut polled = 0;
    dropped_when(future, || {
        polled += 1;
        polled == polls
    })
    .await
}

/// Polls the future, as it is woken, until this holds after a poll, and drops it; gives its output
/// if it was ready by then.
pub async fn dropped_when<F: Future>(
    future: F,
    mut is_time: impl FnMut() -> bool,
) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if is_time() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
