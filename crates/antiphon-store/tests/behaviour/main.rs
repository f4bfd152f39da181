//! What every engine has to do. The suite speaks to [`Store`] alone; a second engine runs it by opening another.

mod kit;
mod smoke;
