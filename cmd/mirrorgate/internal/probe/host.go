package probe

import "context"

const hostRequests = 1

// unknownHost is a name that no server has (RFC 6761 section 6.4).
const unknownHost = "mirrorgate-probe.invalid"

// otherHost asks as production's requests do, which come with a Host of their own.
func (p *prober) otherHost(ctx context.Context, alone response) OtherHost {
	r, err := p.ask(ctx, request{method: get.method, host: unknownHost})
	if err != nil {
		return OtherHost{Failed: problem(err)}
	}
	return OtherHost{Status: r.status, Same: r.status == alone.status}
}
