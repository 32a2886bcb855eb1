//! `?wait=`: a client that asks for news may hold the line for some seconds (`api.md` §7, §13).

use std::time::Duration;

use debt_core::Error;
use tokio::time::{Instant, sleep_until};

use crate::query::Query;

/// Between two looks. Another instance may be the one that brings the news, so there is nothing to wait for but time.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads the parameter `wait`: 0 to 25 seconds, less than the time-outs of clients (1C: 30 s).
pub(crate) fn read_wait(query: &mut Query) -> Duration {
    let read = |text: &str| match text.parse() {
        Ok(seconds @ 0..=25) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err("нужно целое число секунд от 0 до 25".to_owned()),
    };
    query.one_with("wait", read).unwrap_or(Duration::ZERO)
}

/// Looks until there is news or the wait is over; gives what it saw last.
pub(crate) async fn wait_for<T>(
    wait: Duration,
    look: impl AsyncFn() -> Result<T, Error>,
    is_news: impl Fn(&T) -> bool,
) -> Result<T, Error> {
    let deadline = Instant::now() + wait;
    loop {
        let seen = look().await?;
        let now = Instant::now();
        if is_news(&seen) || now >= deadline {
            return Ok(seen);
        }
        sleep_until(deadline.min(now + PAUSE)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn news_end_the_wait() {
        let looks = Cell::new(0);
        let look = async || {
            looks.set(looks.get() + 1);
            Ok(looks.get())
        };
        let wait = Duration::from_secs(2);
        assert_eq!(wait_for(wait, &look, |seen| *seen == 3).await.unwrap(), 3);
        looks.set(0);
        assert_eq!(wait_for(wait, &look, |_| false).await.unwrap(), 5, "the last look is at the end");
        looks.set(0);
        assert_eq!(wait_for(Duration::ZERO, &look, |_| false).await.unwrap(), 1);
    }
}
