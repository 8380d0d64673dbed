// The table of pages: where they are, what they are called, who sees them. The menu and the router come from it.
import type { ComponentType } from 'preact';
import { AuditPage } from '../audit/audit_page';
import { CallPage } from '../calls/call_page';
import { CallsPage } from '../calls/calls_page';
import { CdrsPage } from '../cdrs/cdrs_page';
import { DeliveriesPage } from '../deliveries/deliveries_page';
import { EdgesPage } from '../edges/edges_page';
import { ExtensionsPage } from '../extensions/extensions_page';
import { GroupsPage } from '../groups/groups_page';
import { HealthPage } from '../health/health_page';
import type { Key } from '../i18n';
import { KeysPage } from '../keys/keys_page';
import { PhonePanelPage } from '../phone/panel_page';
import { RegistrationsPage } from '../registrations/registrations_page';
import { SettingsPage } from '../settings/settings_page';
import { TenantsPage } from '../tenants/tenants_page';
import type { IconName } from '../ui/icon';
import { WebhooksPage } from '../webhooks/webhooks_page';

export interface PageRow {
  path: string;
  page: ComponentType<{ params: Record<string, string> }>;
  /** In the menu; without: only reached by links. */
  menu?: { label: Key; icon: IconName };
  operators?: true;
}

export const PAGES: PageRow[] = [
  { path: '/tenants', page: TenantsPage, menu: { label: 'tenants.title', icon: 'tenants' }, operators: true },
  { path: '/health', page: HealthPage, menu: { label: 'health.title', icon: 'health' }, operators: true },
  { path: '/edges', page: EdgesPage, menu: { label: 'edges.title', icon: 'edges' }, operators: true },
  { path: '/t/:tenant/calls', page: CallsPage, menu: { label: 'calls.title', icon: 'calls' } },
  { path: '/t/:tenant/calls/:id', page: CallPage },
  { path: '/t/:tenant/cdrs', page: CdrsPage, menu: { label: 'cdrs.title', icon: 'cdrs' } },
  { path: '/t/:tenant/cdrs/:id', page: CallPage },
  { path: '/t/:tenant/extensions', page: ExtensionsPage, menu: { label: 'extensions.title', icon: 'extensions' } },
  { path: '/t/:tenant/groups', page: GroupsPage, menu: { label: 'groups.title', icon: 'groups' } },
  { path: '/t/:tenant/registrations', page: RegistrationsPage, menu: { label: 'registrations.title', icon: 'registrations' } },
  { path: '/t/:tenant/phone', page: PhonePanelPage, menu: { label: 'phone.title', icon: 'phone' } },
  { path: '/t/:tenant/webhooks', page: WebhooksPage, menu: { label: 'webhooks.title', icon: 'webhooks' } },
  { path: '/t/:tenant/deliveries', page: DeliveriesPage, menu: { label: 'deliveries.title', icon: 'deliveries' } },
  { path: '/t/:tenant/keys', page: KeysPage, menu: { label: 'keys.title', icon: 'keys' } },
  { path: '/t/:tenant/audit', page: AuditPage, menu: { label: 'audit.title', icon: 'audit' } },
  { path: '/t/:tenant/settings', page: SettingsPage, menu: { label: 'settings.title', icon: 'settings' } },
];

/** A page of the menu by its path, for a tenant. */
export const menu_path = (row: PageRow, tenant: string | null): string => row.path.replace(':tenant', encodeURIComponent(tenant ?? ''));
