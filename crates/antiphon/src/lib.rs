//! The inbox: what happens. A folder per noun, a file per verb.
//!
//! A request enters through `serve`, passes `middleware`, finds its door in `routes`, and the door hands a rule to the store.
