// Where what the bench itself starts is found: PORT_BASE plus these, out of the range that deploy/local leaves to phones.
export const PORTS = {
  lookup_without: 430, lookup_with: 431, // small edges
  stock: 440,
  // A phone keeps its address, or each round would add a contact: one local port for each server.
  stock_phones: 450, edge_phones: 451, stock_callees: 452, edge_callees: 453, bound_phones: 454,
  webhooks: 455, dead_webhook: 456, expo: 457,
};
