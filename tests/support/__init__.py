"""What tests share: models, programs that run in processes of their own, tools."""
