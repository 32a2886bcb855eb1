//! The HTTP side of debtgate: configuration, tokens, the REST API with its OpenAPI document, the command line. The binary,
//! the demo, the tests and the benchmarks are made of these parts.

pub mod app;
pub mod assemble;
pub mod auth;
mod caller;
pub mod cli;
pub mod config;
pub mod demo;
pub mod examples;
pub mod form;
pub mod headers;
pub mod input;
mod nearest;
pub mod openapi;
pub mod page;
mod paging;
mod path;
mod patience;
pub mod problem;
pub mod query;
pub mod rate;
mod routes;
pub mod sandbox;
pub mod serve;
pub mod state;
pub mod telemetry;
mod trail;
pub mod uploads;
pub mod views;
mod waiting;
mod writing;
mod zip_stream;
