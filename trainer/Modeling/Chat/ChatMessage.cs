namespace Graft.Modeling;

/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c>, or what the model's template knows besides.</param>
public sealed record ChatMessage(string Role, string Content);
