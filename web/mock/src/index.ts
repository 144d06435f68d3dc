/** Door of the fake backend. */
export { Backend } from "./backend";
export { makeWorld, type World, type WorldOptions } from "./world";
