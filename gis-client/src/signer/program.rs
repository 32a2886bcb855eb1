//! A running program that does not outlive its use.
//!
//! Used by [`super::command`]. The program leads a process group of its own, so that the helpers it starts can be
//! stopped with it: one that stays could hold the token for ever. What must stay true: when a [`Running`] is
//! dropped before the program's end, nothing of the group goes on (on other systems than Unix: the program alone).

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// A program with its three streams.
pub(super) struct Running {
    child: Child,
}

/// The near ends of a program's streams; each is `Some` the first time.
pub(super) type Streams = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

impl Running {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        Ok(Self { child: command.spawn()? })
    }

    pub(super) fn streams(&mut self) -> Streams {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the end of the program itself, whatever its helpers do.
    pub(super) async fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}

#[cfg(unix)]
impl Drop for Running {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};

        // There is no identifier any more once the end was seen: it may belong to another program by then.
        let leader = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(leader) = leader else { return };
        if let Err(error) = kill_process_group(leader, Signal::KILL) {
            tracing::warn!(%error, "the process group of a signing program could not be stopped");
        }
    }
}
