/**
 * Where a connection goes.
 */
import { z } from 'zod';

/** An IP address, never a name, and a port. */
export const targetSchema = z.object({ address: z.string(), port: z.number() });
export type Target = z.infer<typeof targetSchema>;
