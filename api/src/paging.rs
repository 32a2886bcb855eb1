//! From the rows of a list to a page with its cursor and `Link`.

use actix_web::http::header::{ContentType, LINK};
use actix_web::{HttpRequest, HttpResponse};
use debt_core::Error;
use serde::Serialize;

use crate::page::{FilterHash, Limit, Position, next_link};
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;

/// Octets to put by for an item: a body that grows is copied again and again.
const ITEM: usize = 1536;

/// A page of one kind of items; each kind has a name of its own in the document.
pub(crate) trait Paged: Serialize {
    /// What it lists.
    type Item;

    /// A page.
    fn new(items: Vec<Self::Item>, next: Option<String>) -> Self;
}

/// Which page is asked for.
pub(crate) struct Ask {
    pub(crate) limit: Limit,
    pub(crate) after: Option<Position>,
    filters: FilterHash,
}

impl Ask {
    /// Reads `limit` and `cursor`; call it after the filters were read and before [`Query::finish`].
    pub(crate) fn read(query: &mut Query, list: &str, state: &AppState) -> Result<Self, Error> {
        let filters = query.filters(list);
        let limit = query.limit();
        let cursor = query.one::<String>("cursor");
        let after = cursor.map(|cursor| state.cursors.read(&cursor, &filters)).transpose()?;
        Ok(Self { limit, after, filters })
    }

    /// How many rows to fetch: one more than the page has says that there is another page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit.get()) + 1
    }

    /// The response. `position` is where a row stands in the list.
    pub(crate) fn respond<P: Paged, R>(
        &self,
        request: &HttpRequest,
        state: &AppState,
        mut rows: Vec<R>,
        position: impl Fn(&R) -> Position,
    ) -> Result<HttpResponse, Failure>
    where
        P::Item: From<R>,
    {
        let most = usize::try_from(self.limit.get()).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        let last = rows.last().filter(|_| more).map(position);
        let next = last.map(|position| state.cursors.make(&position, &self.filters));
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &next {
            let address = format!("{}{}", state.public_url, request.path());
            response.insert_header((LINK, next_link(&address, request.query_string(), cursor)));
        }
        let mut body = Vec::with_capacity((rows.len() + 1) * ITEM);
        let page = P::new(rows.into_iter().map(Into::into).collect(), next);
        serde_json::to_writer(&mut body, &page).map_err(Error::internal)?;
        Ok(response.content_type(ContentType::json()).body(body))
    }
}
