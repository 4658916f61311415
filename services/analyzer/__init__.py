"""The analyzer decodes audio and describes how it sounds."""
