using Graft.Operator.Cli;

return await GraftCommand.InvokeAsync(args);
