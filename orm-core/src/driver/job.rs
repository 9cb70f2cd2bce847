//! Work that must not be left half-way: it is awaited in place, and goes on in a task of its own
//! if whoever awaits it stops.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use super::connection::PATIENCE;

/// Work that owns the connection it works on.
///
/// Awaiting it costs what awaiting the future itself would cost: there is a task only once the
/// awaiting future has been dropped. The job is told then, and stops where it can; if it doesn't,
/// because nobody answers any more, it is dropped after a while, and its connection is closed.
pub(crate) struct Job<T> {
    state: State<T>,
    stop: StopFlag,
    /// How long it may go on in a task.
    patience: Duration,
}

enum State<T> {
    /// Polled by whoever awaits it.
    Here(BoxFuture<'static, T>),
    /// On its own; `None` if it took too long.
    Task(JoinHandle<Option<T>>),
    /// Over, or dropped outside a runtime.
    Over,
}

/// Says that nobody awaits a job any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Whether the job is to stop at the next statement.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl<T: Send + 'static> Job<T> {
    /// Work that starts when it is awaited.
    pub(crate) fn new<F>(work: impl FnOnce(StopFlag) -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let stop = StopFlag::default();
        Self { state: State::Here(Box::pin(work(stop.clone()))), stop, patience: PATIENCE }
    }

    /// How long it may go on when nobody awaits it any more.
    pub(crate) fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Awaits the job's end; `None` if it panicked, was dropped with its runtime, or took too long
    /// in a task. May be called again if this future is dropped before.
    pub(crate) fn finish(&mut self) -> impl Future<Output = Option<T>> + Send + '_ {
        Finish(self)
    }
}

/// Polls a job, and hands it over to a task if it is dropped before the end.
struct Finish<'j, T: Send + 'static>(&'j mut Job<T>);

impl<T: Send + 'static> Future for Finish<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let outcome = match &mut self.0.state {
            State::Here(work) => work.as_mut().poll(context).map(Some),
            State::Task(task) => Pin::new(task).poll(context).map(|end| end.ok().flatten()),
            State::Over => Poll::Ready(None),
        };
        if outcome.is_ready() {
            self.0.state = State::Over;
        }
        outcome
    }
}

impl<T: Send + 'static> Drop for Finish<'_, T> {
    fn drop(&mut self) {
        if matches!(self.0.state, State::Over) {
            return;
        }
        self.0.stop.0.store(true, Ordering::Release);
        if !matches!(self.0.state, State::Here(_)) {
            return;
        }
        let State::Here(work) = std::mem::replace(&mut self.0.state, State::Over) else { return };
        if std::thread::panicking() {
            // What panicked must not be polled again; its connection is closed with it.
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let patience = self.0.patience;
            let task = async move { tokio::time::timeout(patience, work).await.ok() };
            self.0.state = State::Task(runtime.spawn(task));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{sleep, timeout};

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    /// A runtime of its own for each test.
    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(test);
    }

    #[test]
    fn a_job_that_is_awaited_may_take_its_time() {
        run(async {
            let work = async {
                sleep(SOON * 3).await;
                1
            };
            let mut job = Job::new(|_| work).patient_for(SOON);
            assert_eq!(job.finish().await, Some(1));
        });
    }

    #[test]
    fn a_job_that_nobody_awaits_goes_on_and_is_told() {
        run(async {
            let mut job = Job::new(|stop| async move {
                sleep(SOON).await;
                stop.is_set()
            });
            assert!(timeout(SOON / 4, job.finish()).await.is_err());
            assert_eq!(job.finish().await, Some(true));
            assert_eq!(job.finish().await, None, "it is over");
        });
    }

    #[test]
    fn a_job_that_nobody_awaits_has_an_end() {
        run(async {
            let mut job = Job::new(|_| pending::<()>()).patient_for(SOON);
            assert!(timeout(SOON / 4, job.finish()).await.is_err());
            let end = timeout(SOON * 100, job.finish()).await;
            assert_eq!(end.expect("it is dropped"), None);
        });
    }

    #[test]
    fn a_job_ends_with_its_runtime() {
        let mut job = Job::new(|_| pending::<()>());
        run(async {
            assert!(timeout(SOON / 4, job.finish()).await.is_err());
        });
        run(async { assert_eq!(job.finish().await, None) });
    }
}
