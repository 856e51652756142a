//! What can go wrong, and the one place that decides the status.

use crate::filters::Errors;
use axum::response::{IntoResponse, Response};
use service::http::Problem;

/// What is said of an error to people, where programs read another thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForPeople(pub &'static str);

const AWAY: &str = "Footfall cannot read its database now. Nothing is wrong with what you asked for, and nothing is \
                    lost: it goes on by itself when the database is back.";
const SILENT: &str = "The database of Footfall does not answer now. Nothing is wrong with what you asked for, and \
                      nothing is lost: it goes on by itself when the database speaks again.";

/// Why a request was not answered with what it asked for.
#[derive(Debug)]
pub(crate) enum QueryError {
    /// The request's own fault, or none of ours.
    Problem(Problem),
    /// What is wrong with the parameters of a list.
    Parameters(Errors),
    /// The database.
    Database(sqlx::Error),
    /// No answer within the time that a request may take.
    TooLate,
    /// The database was not done in time, and what the client can do about it.
    TooSlow(&'static str),
}

impl From<Problem> for QueryError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Whether PostgreSQL gave up on a statement because of its time.
fn is_cancelled(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("57014")
}

impl QueryError {
    /// What became of a question whose time depends on what the client asks; `advice` is for when it was too long.
    pub fn of_question(error: sqlx::Error, advice: &'static str) -> Self {
        if is_cancelled(&error) { Self::TooSlow(advice) } else { Self::Database(error) }
    }

    /// What people are told; nothing where what programs are told will do.
    fn for_people(&self) -> Option<ForPeople> {
        match self {
            Self::Database(error) if !is_cancelled(error) => Some(ForPeople(AWAY)),
            Self::TooLate => Some(ForPeople(SILENT)),
            Self::Database(_) | Self::Problem(_) | Self::Parameters(_) | Self::TooSlow(_) => None,
        }
    }
}

impl IntoResponse for QueryError {
    fn into_response(self) -> Response {
        let for_people = self.for_people();
        let error = match self {
            Self::Problem(problem) => return problem.into_response(),
            Self::Parameters(errors) => return errors.into_response(),
            Self::Database(error) => error,
            Self::TooLate => {
                tracing::warn!("a request took too long and was given up: the database says nothing");
                let problem = Problem::unavailable("The read model does not answer in time. Try again.", 5);
                return with_words(problem, for_people);
            }
            Self::TooSlow(advice) => {
                tracing::info!("a question to the database took too long and was cancelled");
                return Problem::unavailable(advice, 5).into_response();
            }
        };
        let problem = if is_cancelled(&error) {
            tracing::warn!("a question to the database took too long and was cancelled");
            Problem::unavailable("This took too long. Ask for less: a shorter time, a smaller offset.", 5)
        } else {
            tracing::warn!(%error, "the read model could not be read");
            Problem::unavailable("The read model cannot be read now. Try again.", 1)
        };
        with_words(problem, for_people)
    }
}

/// The answer to a program, which takes along what a person reads in its place.
fn with_words(problem: Problem, for_people: Option<ForPeople>) -> Response {
    let mut response = problem.into_response();
    if let Some(words) = for_people {
        response.extensions_mut().insert(words);
    }
    response
}
