package bench

import "context"

// agent is what is measured: a process of ours, or one that runs already.
type agent struct {
	addr    string
	command string   // with its placeholders filled in
	proc    *process // nil if it is not ours
}

// startAgent returns an agent that shakes hands, unless it is not ours.
func startAgent(ctx context.Context, cfg RunConfig, targets []string) (*agent, error) {
	if cfg.Agent != "" {
		return &agent{addr: cfg.Agent}, nil
	}
	listen, err := freeAddr()
	if err != nil {
		return nil, err
	}
	command, err := placeholders{
		listen: listen, targets: targets, conns: cfg.Conns, batch: cfg.Batch, mirrorgate: cfg.Mirrorgate, bench: cfg.Bench,
	}.expand(cfg.Command)
	if err != nil {
		return nil, err
	}
	p, err := startProcess(command, cfg.stuckLog)
	if err != nil {
		return nil, err
	}
	if err := p.awaitSPOP(ctx, listen, cfg.Load, startTimeout); err != nil {
		p.stop()
		return nil, err
	}
	return &agent{addr: listen, command: command, proc: p}, nil
}

// context returns one that ends when the agent does.
func (a *agent) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.proc == nil {
		return context.WithCancel(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-a.proc.ended:
			cancel(a.proc.died("half-way"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// usage is what the agent took so far, nothing if it is not ours.
func (a *agent) usage() (usage, error) {
	if a.proc == nil {
		return usage{}, nil
	}
	return a.proc.usage()
}

// explain returns err, or the end of the agent if that is behind it.
func (a *agent) explain(err error) error {
	if a.proc == nil {
		return err
	}
	return a.proc.explain(err)
}

func (a *agent) stop() {
	if a.proc != nil {
		a.proc.stop()
	}
}

// name is the command line, or the address if the agent is not ours.
func (a *agent) name() string {
	if a.proc == nil {
		return a.addr
	}
	return a.command
}
