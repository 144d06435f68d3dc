/** Door of the API client: the typed fetch client, names for the shapes, the live frames and the problem error. */
export * from "./client";
export * from "./shapes";
