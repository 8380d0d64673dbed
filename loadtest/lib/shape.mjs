// With call-control or without: what the instance is made of while something is measured.
//
//   await reshape(context, 0 | 1)      that many call-controls; context.edge is another process afterwards
//   await indexed(instance)            until the location index has every binding of the edge
import { until } from '../../tests/lib/until.mjs';
import { tenantStatus, waitForDomain } from './scale.mjs';

export async function reshape(context, controls) {
  const { instance, last_domain } = context;
  if (instance.controls.length === controls) return;
  await instance.scale({ controls });
  await instance.allWell();
  await waitForDomain(instance, last_domain);
  context.edge = { ...context.edge, pid: await instance.pid('kamailio') };
}

export async function indexed(instance) {
  await until(async () => {
    const { outbox_sent_seq, outbox_taken_seq, outbox_dropped } = await tenantStatus(instance);
    if (outbox_dropped > 0) throw new Error(`${outbox_dropped} bindings did not fit into the edge's outbox`);
    return outbox_taken_seq >= outbox_sent_seq;
  }, { what: 'the location index has all bindings', deadline_ms: 60_000, every_ms: 10 });
}
