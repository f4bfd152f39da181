//! The API from the outside, in process: a real store, a still clock, counted ids. Every answer is held against our own
//! OpenAPI document on its way back.

mod answering;
